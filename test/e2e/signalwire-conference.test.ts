import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { type Script, ScriptStage, states } from './signalwire-scripts.ts';
import type { RecordEvent } from './signalwire-stage.ts';
import { assertHeardBy } from './sounds.ts';

/** `join_conference` and its recording, by several callers (docs/dialects/signalwire.md, A25). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());

const join = (name: string, parameters: object = {}) => ({
  join_conference: { name, beep: 'false', ...parameters },
});

/** Callers of a conference, one after the other. */
async function callers(
  count: number,
  name: string,
  parameters: (script: Script) => object,
): Promise<Script[]> {
  const scripts: Script[] = [];
  for (let number = 1; number <= count; number++) {
    const script = stage.script();
    await script.call([join(name, parameters(script)), script.gate('out')]);
    scripts.push(script);
    await stage.stage.scene.participants(name, number);
  }
  return scripts;
}

suite('conferences', { concurrency: 4 }, () => {
  test('X20: max_participants: one more is refused, and its script goes on', async () => {
    const inside = await callers(2, 'X20', () => ({ max_participants: 2 }));
    const third = stage.script();
    await third.call([join('X20', { max_participants: 2 }), third.note('refused')]);
    assert.equal((await third.at('refused')).join_conference_result, 'failed');
    await third.phone.ended;
    // What counts is what the one who joins asks for; the vendor's default is 100,000.
    const fourth = stage.script();
    await fourth.call([join('X20'), fourth.gate('out')]);
    await stage.stage.scene.participants('X20', 3);
    for (const script of [...inside, fourth]) await script.end();
    for (const wrong of [1, 100_001, 2.5])
      assert.deepEqual(await stage.script().refused([join('X20', { max_participants: wrong })]), [
        'relay_script_method_parameter_invalid_value',
        'sections.main[1].join_conference.max_participants',
      ]);
  });

  for (const trim of [undefined, 'trim-silence', 'do-not-trim'])
    test(`X21: trim ${trim ?? 'by default'}: silence at both ends ${trim === 'do-not-trim' ? 'stays' : 'is left out'}`, async () => {
      const name = `X21 ${trim}`;
      const [ann, bob] = await callers(2, name, (script) => ({
        ...{ record: 'record-from-start', trim },
        recording_status_callback: script.statusUrl,
        recording_status_callback_event: 'in-progress completed absent',
      }));
      // Silence of a known length: what is said to nobody's recording takes its time.
      await ann!.phone.play(new Int16Array(8000));
      const said = await ann!.speak(8000);
      await bob!.phone.play(new Int16Array(8000));
      await ann!.end();
      await bob!.end();
      const told = await ann!.event('finished');
      const { channels } = await ann!.file(told);
      const at = assertExactRun(channels[0]!, said);
      const around = [at, channels[0]!.length - at - said.length];
      if (trim === 'do-not-trim') for (const samples of around) assert.ok(samples >= 7000, `${around}`);
      else for (const samples of around) assert.ok(samples < 1600, `${around}`);
    });

  test('a conference that is recorded tells in-progress and completed to whoever asked, and everybody is in the file', async () => {
    const [ann, bob] = await callers(2, 'told', (script) => ({
      ...{ record: 'record-from-start', trim: 'do-not-trim', recording_status_callback: script.statusUrl },
      recording_status_callback_event: 'in-progress completed',
    }));
    const words = [await ann!.speak(), await bob!.speak()];
    assertHeardBy(bob!.phone, words[0]!);
    assertHeardBy(ann!.phone, words[1]!);
    await ann!.end();
    await bob!.end();
    const events = await ann!.events(2);
    assert.deepEqual(states(events), ['recording', 'finished']);
    const { params } = events[1] as RecordEvent & { params: { conference_name?: string } };
    assert.equal(params.conference_name, 'told');
    const { channels } = await ann!.file(events[1]!);
    for (const said of words) assertExactRun(channels[0]!, said);
  });
});
