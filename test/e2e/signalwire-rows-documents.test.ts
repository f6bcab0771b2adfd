import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { answer } from '../../src/testkit/callback-app.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { playedFile } from './played-file.ts';
import { type Script, ScriptStage, variable, voiceHz } from './signalwire-scripts.ts';
import type { RestRecording } from './signalwire-stage.ts';
import { assertSounds, beepHz, hasTone, heardBy } from './sounds.ts';
import { lineCoded } from './verb-stage.ts';

/** The examples of the vendor's page, as they stand (docs/dialects/signalwire.md, W29 to W33). */
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

suite('the examples of the vendor’s page', { concurrency: 8 }, () => {
  test('W30: example 2 from a URL: the file is played as soon as the recording was stopped', async () => {
    const { said, prompt, heard, file, durationSeconds } = await message('record-and-play-back');
    assertExactRun(file, said);
    assert.ok(durationSeconds > 10.4, `${durationSeconds} s`);
    assertNoRun(file, prompt.subarray(0, beepEnd(prompt) - 400), { minSamples: 80, label: 'the beep' });
    assertSounds(heard, lineCoded(file));
  });

  test('W30: example 2 kept with the application, ended by #', async () => {
    const number = await inlineNumber('record-and-play-back');
    const script = stage.script();
    const call = await script.callNumber(number);
    const { said, heard, file } = await leaveMessage(script, call, await callIdOf(script.number), '#');
    const tail = file.length - assertExactRun(file, said) - said.length;
    assert.ok(tail < 40_000, `${tail} samples behind what was said`);
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
});

/** A beep stands at the beginning of what a caller heard: behind it. */
function beepEnd(samples: Int16Array): number {
  const from = samples.findIndex((sample) => sample !== 0);
  return from + 8 * 420;
}
