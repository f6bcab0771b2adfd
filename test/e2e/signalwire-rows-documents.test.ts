import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { answer } from '../../src/testkit/callback-app.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { playedFile } from './played-file.ts';
import {
  assertSounds,
  beepHz,
  hasTone,
  heardBy,
  hears,
  type Script,
  ScriptStage,
  type Step,
  states,
  variable,
  voiceHz,
} from './signalwire-scripts.ts';
import type { RestRecording } from './signalwire-stage.ts';
import { assertHeard, lineCoded } from './verb-stage.ts';

/** The examples of the vendor's page, as they stand, and what `record_call` is to a document (features.md, W28 to W37). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());
const patienceMs = 40_000;

type Example = 'start-mp3' | 'record-and-play-back' | 'record-speaker';
const example = (name: Example) =>
  readFileSync(new URL(`../data/signalwire/record_call/${name}.yaml`, import.meta.url), 'utf8');
/** What the number of an application is called by that keeps the text itself. */
const numbers = new Map<Example, string>();

async function inlineNumber(name: Example): Promise<string> {
  const number = `30${numbers.size}`;
  numbers.set(name, number);
  const { status, body } = await stage.stage.http.json('POST', '/v1/applications', {
    ...{ dialect: 'signalwire', name, numbers: [number], document: example(name) },
  });
  assert.equal(status, 201, JSON.stringify(body));
  return number;
}

/** The recordings of a call, once it has so many that are finished. */
async function recordings(callId: string, count = 1): Promise<RestRecording[]> {
  return await eventually(
    `${count} recordings of ${callId}`,
    async () => {
      const { body } = await stage.stage.http.get<{ data: RestRecording[] }>(
        '/api/relay/rest/recordings?page_size=1000',
      );
      const found = body.data.filter(
        (each) => each.relay_sip_leg_id === callId && each.status === 'completed',
      );
      return found.length >= count ? found : undefined;
    },
    patienceMs,
  );
}

interface Message {
  /** What the caller said into it. */
  said: Int16Array;
  /** What the caller heard before the file was played, and then. */
  prompt: Int16Array;
  heard: Int16Array;
  file: Int16Array;
  durationSeconds: number;
}

/** Waits until the caller has heard something, and then nothing for a moment. */
async function prompted(call: PhoneCall): Promise<Int16Array> {
  return await eventually(
    'the prompt and a pause',
    () => {
      const heard = call.received();
      const sounds = heardBy(call);
      const silentSince = heard.findLastIndex((sample) => sample !== 0);
      return sounds.length > 8000 && heard.length - silentSince > 6400 ? heard : undefined;
    },
    patienceMs,
  );
}

/** Leaves a message with the second or third example, and hears it. */
async function leaveMessage(script: Script, call: PhoneCall, callId: string, key?: string): Promise<Message> {
  const prompt = await prompted(call);
  const said = await script.speak(8000);
  if (key !== undefined) await call.pressDigit(key);
  await call.ended;
  const [recording] = await recordings(callId);
  const { channels } = await playedFile(await fetch(recording!.url), 'wav');
  assert.equal(channels.length, 1);
  const file = channels[0]!;
  const heard = call.received().subarray(prompt.length);
  return { said, prompt, heard, file, durationSeconds: file.length / 8000 };
}

/** Asked for by URL; each once for all who look at it. */
const messages = new Map<string, Promise<Message>>();
function message(name: Example): Promise<Message> {
  const made = messages.get(name) ?? byUrl(name);
  messages.set(name, made);
  return made;
}

async function byUrl(name: Example): Promise<Message> {
  const script = stage.script();
  const call = await script.call(answer(200, example(name), { 'content-type': 'application/yaml' }));
  return await leaveMessage(script, call, await script.callId());
}

/** Of the connection that a phone made which no document was asked for. */
async function callIdOf(number: string): Promise<string> {
  const { body } = await stage.stage.http.get<{ results: { connection_id: string; from: string }[] }>(
    '/v0/connections',
  );
  const found = body.results.find(({ from }) => from === number);
  assert.ok(found);
  return found.connection_id;
}

suite('documents', { concurrency: 8 }, () => {
  test('W30: example 2 from a URL: the file is played as soon as the recording was stopped', async () => {
    const { said, prompt, heard, file, durationSeconds } = await message('record-and-play-back');
    assertExactRun(file, said);
    assert.ok(durationSeconds > 10.4 && durationSeconds < 20, `${durationSeconds} s`);
    assertNoRun(file, prompt.subarray(0, beepEnd(prompt) - 400), { minSamples: 80, label: 'the beep' });
    assertSounds(heard, lineCoded(file));
  });

  test('W30: example 2 kept with the application, ended by #', async () => {
    const number = await inlineNumber('record-and-play-back');
    const script = stage.script();
    const call = await script.callNumber(number);
    const { said, heard, file, durationSeconds } = await leaveMessage(
      script,
      call,
      await callIdOf(script.number),
      '#',
    );
    assertExactRun(file, said);
    assert.ok(durationSeconds < 10, `${durationSeconds} s`);
    assertSounds(heard, lineCoded(file));
  });

  test('W31: example 2: both sides are in the file, the prompt too', async () => {
    const { prompt, file } = await message('record-and-play-back');
    // The beep comes before; the pause behind it parts the two.
    assert.ok(hasTone(prompt, beepHz));
    assertSounds(file, prompt.subarray(beepEnd(prompt)));
  });

  test('W32: example 3: only the speaker is in the file', async () => {
    const { said, prompt, heard, file } = await message('record-speaker');
    assertExactRun(file, said);
    assertNoRun(file, prompt.subarray(beepEnd(prompt)), { minSamples: 80 });
    const at = assertExactRun(file, said);
    for (const around of [file.subarray(0, at), file.subarray(at + said.length)])
      assert.ok(around.every((sample) => sample === 0));
    assertSounds(heard, said);
  });

  test('W32: example 3 kept with the application', async () => {
    const number = await inlineNumber('record-speaker');
    const script = stage.script();
    const call = await script.callNumber(number);
    const { said, prompt, heard, file } = await leaveMessage(
      script,
      call,
      await callIdOf(script.number),
      '#',
    );
    const at = assertExactRun(file, said);
    assert.ok(file.length - at > 8000 + said.length, 'no key ends this one');
    assertNoRun(file, prompt.subarray(beepEnd(prompt)), { minSamples: 80 });
    assertSounds(heard, said);
  });

  test('W33: the variable record_call_url among play.urls is what was recorded', async () => {
    for (const name of ['record-and-play-back', 'record-speaker'] as const) {
      const { said, heard } = await message(name);
      assertSounds(heard, said);
    }
  });

  test('W33: each format is played, stereo as mono', async () => {
    const kinds = [{ format: 'wav', stereo: true }, { format: 'mp3' }, { format: 'mp4', stereo: true }];
    const calls = kinds.map(async (kind) => {
      const script = stage.script();
      const call = await script.call([
        script.recordCall({ ...kind, direction: 'speak' }),
        script.gate('say'),
        { stop_record_call: {} },
        { play: { urls: ['silence:0.2', variable('record_call_url')] } },
        script.gate('played'),
      ]);
      await script.at('say');
      await script.speakTone();
      script.go('say');
      assert.equal((await script.at('played')).play_result, 'success');
      await eventually('it is heard', () => hasTone(call.received(), voiceHz) || undefined, patienceMs);
      script.go('played');
    });
    await Promise.all(calls);
  });

  test('W33: a recording that goes on is not played; the script goes on', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall(),
      { play: { urls: [variable('record_call_url')] } },
      script.note('played'),
      { play: { urls: [variable('record_call_result_of_nothing')] } },
      script.note('nothing'),
    ]);
    assert.equal((await script.at('played')).play_result, 'failed');
    await script.at('nothing');
    await script.event('finished');
  });

  test('W29: example 1 from a URL: the end of main hangs up, the recording is finished', async () => {
    const script = stage.script();
    const call = await script.call(
      answer(200, example('start-mp3'), { 'content-type': 'application/yaml' }),
      {
        keepAlive: 'silence',
      },
    );
    await call.ended;
    const [recording] = await recordings(await script.callId());
    const { channels } = await playedFile(await fetch(recording!.url), 'mp3');
    assert.equal(channels.length, 1);
  });

  test('W29: example 1 kept with the application', async () => {
    const number = await inlineNumber('start-mp3');
    const script = stage.script();
    await (await script.callNumber(number)).ended;
    const [recording] = await recordings(await callIdOf(script.number));
    await playedFile(await fetch(recording!.url), 'mp3');
  });

  test('W29: example 1 executed: the call goes on, and is in the MP3 until its end', async () => {
    const script = stage.script();
    const dest = stage.stage.scene.handle('/start-mp3', () => answer(200, example('start-mp3')));
    const call = await script.call([{ execute: { dest } }, script.gate('say')]);
    await script.at('say');
    await script.speakTone();
    script.go('say');
    await call.ended;
    const [recording] = await recordings(await script.callId());
    const { rateHz, channels } = await playedFile(await fetch(recording!.url), 'mp3');
    assert.ok(hasTone(channels[0]!, voiceHz, rateHz));
  });

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

/** A beep stands at the beginning of what a caller heard: behind it. */
function beepEnd(samples: Int16Array): number {
  const from = samples.findIndex((sample) => sample !== 0);
  return from + 8 * 420;
}
