import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { answer } from '../../src/testkit/callback-app.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { playedFile } from './played-file.ts';
import { ScriptStage, type Step, states, variable } from './signalwire-scripts.ts';
import { hears } from './sounds.ts';
import { assertHeard } from './verb-stage.ts';

/** What `record_call` and `stop_record_call` are to a document (docs/dialects/signalwire.md, W28 and W34 to W37). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());
const patienceMs = 30_000;

suite('documents', { concurrency: 4 }, () => {
  test('W28: JSON and YAML 1.2; version is 1.0.0 and a text', async () => {
    const json = stage.script();
    const yaml = stage.script();
    const main = [{ record_call: { control_id: 'x', beep: true, status_url: json.statusUrl } }];
    await json.call(JSON.stringify({ version: '1.0.0', sections: { main } }));
    await yaml.call(
      answer(
        200,
        `version: 1.0.0\nsections:\n  main:\n  - record_call: {control_id: x, beep: true, status_url: "${yaml.statusUrl}"}\n`,
        {
          'content-type': 'text/yaml',
        },
      ),
    );
    for (const script of [json, yaml])
      assert.deepEqual(states(await script.events(2)), ['recording', 'finished']);
    const refused = async (text: string) => await stage.script().refused(answer(200, text));
    const sections = 'sections:\n  main:\n  - answer: {}\n';
    for (const version of ['1.0', '2.0.0', '1', '[1, 0, 0]'])
      assert.deepEqual(
        await refused(`version: ${version}\n${sections}`),
        ['relay_script_version_invalid', 'version'],
        version,
      );
    // No truth value in YAML 1.2.
    assert.deepEqual(await refused('sections:\n  main:\n  - record_call: {beep: yes}\n'), [
      'relay_script_method_parameter_invalid_value',
      'sections.main[0].record_call.beep',
    ]);
    assert.deepEqual(await refused('sections: {main: [}'), ['relay_script_parse_error', '']);
  });

  test('W34: stop_record_call {} stops the last one; failed where none runs', async () => {
    const script = stage.script();
    const stop = { stop_record_call: {} };
    const call = await script.call([
      ...[stop, script.note('none')],
      ...['first', 'second'].map((control_id) => script.recordCall({ control_id })),
      ...[stop, script.gate('second'), stop, script.gate('first'), stop, script.note('none left')],
    ]);
    assert.equal((await script.at('none')).stop_record_call_result, 'failed');
    assert.equal((await script.at('second')).stop_record_call_result, 'success');
    await script.event('finished', 'second');
    assert.equal(script.requests('first').length, 1);
    script.go('second');
    assert.equal((await script.at('first')).stop_record_call_result, 'success');
    await script.event('finished', 'first');
    script.go('first');
    assert.equal((await script.at('none left')).stop_record_call_result, 'failed');
    await call.ended;
    // A name that nobody set is not the last one's.
    const nameless = stage.script();
    const stopNobody = { stop_record_call: { control_id: variable('nobody') } };
    await (await nameless.call([nameless.recordCall(), stopNobody, { sleep: -1 }])).ended;
    assert.deepEqual(await nameless.error(), [
      'relay_script_method_parameter_invalid_value',
      'sections.main[2].stop_record_call.control_id',
    ]);
  });

  test('W35: # has ended it: a later stop fails, the script goes on, and the URL is the file', async () => {
    const script = stage.script();
    const call = await script.call([
      script.recordCall({ terminators: '#', direction: 'speak' }),
      script.gate('say'),
      { stop_record_call: {} },
      script.note('stopped'),
      { play: { url: variable('record_call_url') } },
      script.note('played'),
    ]);
    await script.at('say');
    const said = await script.speak();
    await call.pressDigit('#');
    await script.event('finished');
    script.go('say');
    assert.equal((await script.at('stopped')).stop_record_call_result, 'failed');
    const { play_result, record_call_url } = await script.at('played');
    assert.equal(play_result, 'success');
    await hears(call, said);
    const { channels } = await playedFile(await fetch(String(record_call_url)), 'wav');
    assertExactRun(channels[0]!, said);
  });

  test('W36: of two record_call the variables are those of the last', async () => {
    const script = stage.script();
    const names = ['first', 'second'];
    await script.call([
      ...names.flatMap((control_id): Step[] => [script.recordCall({ control_id }), script.note(control_id)]),
    ]);
    const urls = await Promise.all(
      names.map(async (name) => {
        const { record_control_id, record_call_url } = await script.at(name);
        assert.equal(record_control_id, name);
        const { params } = await script.event('finished', name);
        assert.equal(new URL(String(record_call_url)).pathname, new URL(params.url).pathname);
        return record_call_url;
      }),
    );
    assert.notEqual(urls[0], urls[1]);
  });

  test('W37: with a called party beside it, the leg that the script runs on is recorded', async () => {
    const script = stage.script();
    const phone = await stage.stage.phone();
    const answered = Promise.withResolvers<PhoneCall>();
    phone.onCall = (incoming) => answered.resolve(incoming.answer());
    const kinds: Record<string, object> = {
      says: { direction: 'speak' },
      hears: { direction: 'listen' },
      both: { stereo: true },
    };
    await script.call([
      ...Object.entries(kinds).map(([control_id, rest]) => script.recordCall({ control_id, ...rest })),
      { connect: { to: phone.sipUri } },
      script.gate('alone again'),
    ]);
    const called = await answered.promise;
    const callId = await script.callId();
    const { calls } = stage.stage.scene.server.callreel;
    await eventually(
      'two in a conversation',
      () => calls.conferenceOf(callId)?.memberCount === 2 || undefined,
      patienceMs,
    );
    await calls.conferenceOf(callId)!.worker.send({ verb: 'worker.stats' });
    const said = await script.speak();
    const theirs = await script.speak(4000, called);
    await called.hangUp();
    assert.equal((await script.at('alone again')).connect_result, 'connected');
    for (const id of Object.keys(kinds)) assert.equal(script.requests(id).length, 1, 'it goes on');
    script.go('alone again');
    const says = await script.mono('says');
    assertExactRun(says, said);
    assertNoRun(says, theirs);
    const hears = await script.mono('hears');
    assertHeard(hears, theirs);
    assertNoRun(hears, said);
    const [left, right] = await script.stereo('both');
    assertExactRun(left, said);
    assertHeard(right, theirs);
    for (const { params } of await script.events(6)) assert.equal(params.call_id, callId);
  });
});
