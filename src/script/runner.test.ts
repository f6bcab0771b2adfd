import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Leg } from '../call/leg.ts';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { VerbPerformer } from './performer.ts';
import { ScriptRunner } from './runner.ts';
import type { Step } from './verb.ts';

const sleep = (durationMs: number, done?: () => Promise<readonly Step[] | undefined>): Step => ({
  verb: 'sleep',
  durationMs,
  ...(done && { done }),
});

/** Every verb is noted by its duration and over at once; one of 13 fails. */
function setUp(goesOn?: (error: unknown) => boolean) {
  const performed: number[] = [];
  const hungUp: string[] = [];
  const leg = { ended: false, hangUp: (reason: string) => hungUp.push(reason) } as unknown as Leg;
  const performer = {
    perform: async (_leg: Leg, verb: Step) => {
      assert.ok(verb.verb === 'sleep');
      performed.push(verb.durationMs);
      if (verb.durationMs === 13) throw new CallreelError('CONFLICT', 'thirteen');
      return { outcome: 'over' };
    },
  } as unknown as VerbPerformer;
  const runner = new ScriptRunner({
    ...{ performer, clock: new FakeClock() },
    ...(goesOn && { goesOn: (_leg, _step, error) => goesOn(error) }),
  });
  return { performed, hungUp, leg, runner };
}

test('in order; what is answered to a verb replaces what is left; the end hangs up', async () => {
  const { performed, hungUp, leg, runner } = setUp();
  await runner.run(leg, [
    sleep(1),
    sleep(2, async () => [sleep(3), sleep(4, async () => undefined)]),
    sleep(5),
  ]);
  assert.deepEqual(performed, [1, 2, 3, 4]);
  assert.deepEqual(hungUp, ['end of the routine']);
});

test('performed: the call is left as it is; a signal gives up what is left', async () => {
  const { performed, hungUp, leg, runner } = setUp();
  const given = new AbortController();
  const abort = async () => {
    given.abort(new Error('enough'));
    return [sleep(9)];
  };
  await runner.perform(leg, [sleep(1)]);
  await assert.rejects(runner.perform(leg, [sleep(2, abort), sleep(3)], given.signal), /enough/);
  assert.deepEqual(performed, [1, 2]);
  assert.deepEqual(hungUp, []);
});

test('a verb that fails ends the document, or is gone on behind where that is wanted', async () => {
  const strict = setUp();
  await assert.rejects(strict.runner.run(strict.leg, [sleep(13), sleep(1)]), { code: 'CONFLICT' });
  assert.deepEqual([strict.performed, strict.hungUp], [[13], []]);
  const failures: unknown[] = [];
  const lenient = setUp((error) => failures.push(error) > 0);
  await lenient.runner.run(lenient.leg, [sleep(13, async () => [sleep(9)]), sleep(1)]);
  assert.deepEqual(lenient.performed, [13, 1], 'nothing is asked about what failed');
  assert.equal(failures.length, 1);
});
