import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '../../clock.ts';
import type { Prompt, Step, VerbResults } from '../../script/verb.ts';
import { parkSteps } from './park-steps.ts';

const intro: Prompt = { kind: 'text', text: 'wait' };
const hold: Prompt = { kind: 'url', url: 'https://files.example/hold.mp3' };

/** What a parked call hears, each prompt as long as said, to its end. */
async function run(given: { intro?: Prompt[]; hold?: Prompt[]; maxDurationMs: number }, playMs: number) {
  const clock = new FakeClock();
  const startUs = clock.monotonicUs();
  const done: string[] = [];
  const { intro: introPrompts = [], hold: holdPrompts = [], maxDurationMs } = given;
  let steps: readonly Step[] = parkSteps({ name: 'park', introPrompts, holdPrompts, maxDurationMs }, clock);
  for (let step = steps[0]; step; step = steps[0]) {
    assert.ok(done.length < 10_000);
    steps = steps.slice(1);
    if (step.verb === 'hang-up') done.push('hang-up');
    else if (step.verb === 'answer') steps = (await step.done?.({ outcome: 'answered' })) ?? steps;
    else if (step.verb === 'sleep') {
      done.push(`sleep ${step.durationMs}`);
      clock.advanceMs(step.durationMs);
      steps = (await step.done?.({ outcome: 'over' })) ?? steps;
    } else if (step.verb === 'play') {
      done.push(step.prompts[0] === intro ? 'intro' : 'hold');
      clock.advanceMs(playMs);
      const result: VerbResults['play'] = { outcome: 'finished' };
      steps = (await step.done?.(result)) ?? steps;
    } else assert.fail(step.verb);
  }
  return { done, tookMs: (clock.monotonicUs() - startUs) / 1000 };
}

it('plays the hold prompt over and over, the last one to its end, and hangs up', async () => {
  const { done, tookMs } = await run({ intro: [intro], hold: [hold], maxDurationMs: 10_000 }, 4000);
  assert.deepEqual(done, ['intro', 'hold', 'hold', 'hold', 'hang-up']);
  assert.equal(tookMs, 16_000);
});

it('waits in silence without one', async () => {
  const { done } = await run({ intro: [intro], maxDurationMs: 600_000 }, 2000);
  assert.deepEqual(done, ['intro', 'sleep 600000', 'hang-up']);
});

it('asks only once a second for a prompt that can not be had', async () => {
  const { done, tookMs } = await run({ hold: [hold], maxDurationMs: 5000 }, 0);
  assert.equal(done.filter((each) => each === 'hold').length, 5);
  assert.equal(tookMs, 5000);
});
