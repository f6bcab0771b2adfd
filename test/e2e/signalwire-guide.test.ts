import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { activeSpan } from '../../src/testkit/active-span.ts';
import type { AudioFile } from '../../src/testkit/audio-file.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { type Format, playedFile } from './played-file.ts';
import {
  type Script,
  ScriptStage,
  type Step,
  states,
  type Vars,
  variable,
  voiceHz,
} from './signalwire-scripts.ts';
import type { RecordEvent, RestRecording } from './signalwire-stage.ts';
import { assertEndSilence, assertSounds, beepHz, hasTone, heardBy } from './sounds.ts';

/**
 * The examples of the guide "Call Recording", as both SDKs emit them, executed one by one on live calls, and what the
 * guide promises of them (docs/dialects/signalwire.md, rows A).
 */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());
const patienceMs = 30_000;
const path = '/api/relay/rest/recordings';

const sdks = ['python', 'typescript'] as const;
type Sdk = (typeof sdks)[number];
const emitted = JSON.parse(
  readFileSync(new URL('../data/signalwire/guide-documents.json', import.meta.url), 'utf8'),
) as ({ example: string } & Record<Sdk, string>)[];

/** The step that does what the example's tool answers with, as its text. */
function action(script: Script, sdk: Sdk, example: string): Step {
  const found = emitted.find((each) => each.example === example);
  assert.ok(found, example);
  const dest = found[sdk]
    .replaceAll('CALL', variable('call.call_id'))
    .replaceAll(/https:\/\/example\.com[^"]*/g, script.statusUrl);
  return { execute: { dest } };
}

async function finished(callId: string): Promise<RestRecording[]> {
  return await eventually(
    'the end of all',
    async () => {
      const { body } = await stage.stage.http.get<{ data: RestRecording[] }>(`${path}?page_size=1000`);
      const found = body.data.filter((each) => each.relay_sip_leg_id === callId);
      return found.length > 0 && found.every(({ status }) => status === 'completed') ? found : undefined;
    },
    patienceMs,
  );
}

const played = async (url: unknown, format: Format) => await playedFile(await fetch(String(url)), format);

/** Of a recording that ends by itself: the channels of its file. */
async function whenWhole(url: unknown): Promise<Int16Array[]> {
  await eventually(
    'the file',
    async () => (await fetch(String(url))).status === 200 || undefined,
    patienceMs,
  );
  return (await played(url, 'wav')).channels;
}

/** What a call knows about the recordings of the examples that run on it. */
interface Examples {
  script: Script;
  callId: string;
  said: Int16Array;
  prompt: Int16Array;
  variables: Map<string, Vars>;
  recordings: RestRecording[];
  file(example: string, format?: Format): Promise<AudioFile>;
  rest(example: string): RestRecording;
}

const running = [
  'basic',
  'stereo',
  'mono',
  'speak',
  'listen',
  'both',
  'webhook',
  'auto-stop',
  'beep',
  'defaults',
];

/** All at once on one call: the caller says something, hears something, says a tone, and hangs up. */
async function run(sdk: Sdk): Promise<Examples> {
  const script = stage.script();
  const { step, sound: prompt } = script.prompt();
  const call = await script.call([
    ...running.flatMap((example) => [action(script, sdk, example), script.note(example)]),
    script.gate('say'),
    step,
    script.gate('played'),
    { sleep: -1 },
  ]);
  await script.at('say');
  const said = await script.speak();
  script.go('say');
  await script.at('played');
  await script.speakTone();
  await call.hangUp();
  const callId = await script.callId();
  const recordings = await finished(callId);
  const variables = new Map<string, Vars>();
  for (const example of running) variables.set(example, await script.at(example));
  const url = (example: string) => variables.get(example)!.record_call_url;
  return {
    ...{ script, callId, said, prompt, variables, recordings },
    file: (example, format = 'wav') => played(url(example), format),
    rest: (example) =>
      recordings.find(({ id }) => new URL(String(url(example))).pathname.includes(`/${id}/`))!,
  };
}

/** Made once for all who look at them. */
const made = new Map<Sdk, Promise<Examples>>();
function examplesOf(sdk: Sdk): Promise<Examples> {
  const examples = made.get(sdk) ?? run(sdk);
  made.set(sdk, examples);
  return examples;
}

/** A call that does the examples, with a gate behind each. */
async function callWith(sdk: Sdk, ...names: string[]): Promise<Script> {
  const script = stage.script();
  await script.call(names.flatMap((name) => [action(script, sdk, name), script.gate(name)]));
  return script;
}

for (const sdk of sdks)
  suite(`the guide’s examples in ${sdk}`, { concurrency: 6 }, () => {
    test('A3 A9 A38: each starts its recording in the background, all of them at once', async () => {
      const { variables, recordings } = await examplesOf(sdk);
      for (const [example, { record_call_result }] of variables)
        assert.equal(record_call_result, 'success', example);
      assert.equal(recordings.length, running.length);
      assert.equal(
        new Set([...variables.values()].map((vars) => vars.record_control_id)).size,
        running.length,
      );
    });

    test('A4 A24: stereo has the caller on the left, what it heard on the right', async () => {
      const { file, said, prompt } = await examplesOf(sdk);
      for (const example of ['basic', 'stereo']) {
        const { channels } = await file(example);
        assert.equal(channels.length, 2);
        const [left, right] = channels;
        assertExactRun(left!, said);
        assertSounds(right!, prompt);
        assertNoRun(left!, prompt);
        assertNoRun(right!, said);
      }
    });

    test('A5 A39: wav is what came, sample by sample; mp3 is an MP3 file', async () => {
      const { file, said } = await examplesOf(sdk);
      const { channels } = await file('both');
      assertExactRun(channels[0]!, said);
      const mp3 = await file('mono', 'mp3');
      assert.equal(mp3.channels.length, 1);
      assert.ok(hasTone(mp3.channels[0]!, voiceHz, mp3.rateHz));
    });

    test('A6 A28 X1: speak is what the party says, listen what it hears, both unless given', async () => {
      const { file, rest, said, prompt } = await examplesOf(sdk);
      const [speak, listen, both] = await Promise.all(
        ['speak', 'listen', 'both'].map(async (example) => (await file(example)).channels[0]!),
      );
      assertExactRun(speak!, said);
      assertNoRun(speak!, prompt);
      assertSounds(listen!, prompt);
      assertNoRun(listen!, said);
      assertExactRun(both!, said);
      assertSounds(both!, prompt);
      assert.deepEqual(
        ['speak', 'listen', 'both'].map((example) => rest(example).track),
        ['inbound', 'outbound', 'both'],
      );
    });

    test('A11 A12 A13 A14 A16: without parameters: an id of its own, mono, wav, both, no beep', async () => {
      const { file, rest, variables, said, prompt } = await examplesOf(sdk);
      assert.match(String(variables.get('defaults')!.record_control_id), /^[0-9a-f-]{36}$/);
      const { channels } = await file('defaults');
      assert.equal(channels.length, 1);
      assertExactRun(channels[0]!, said);
      assertSounds(channels[0]!, prompt);
      assert.deepEqual([rest('defaults').stereo, rest('defaults').track], [false, 'both']);
    });

    test('A8 A15 A18 A19 A20: without terminators and time-outs it goes on until the call ends', async () => {
      const { rest, file, callId, recordings } = await examplesOf(sdk);
      for (const { status, error_code, relay_sip_leg_id } of recordings)
        assert.deepEqual([status, error_code, relay_sip_leg_id], ['completed', null, callId]);
      for (const example of ['basic', 'defaults']) {
        const { channels } = await file(example);
        assert.ok(hasTone(channels[0]!, voiceHz), 'what was said last is in it');
        assert.ok(rest(example).duration_in_seconds >= 1);
      }
    });

    test('A21 A29: status_url is told, with the URL; the others tell nobody', async () => {
      const { script, said } = await examplesOf(sdk);
      const events = await script.events(2);
      assert.deepEqual(
        events.map(({ params }) => [params.control_id, params.state]),
        [
          ['webhook_rec', 'recording'],
          ['webhook_rec', 'finished'],
        ],
      );
      const { channels } = await script.file(events[1]!);
      assertExactRun(channels[0]!, said);
      assert.equal(script.requests().length, 2);
    });

    test('A26: stereo is twice as large as mono', async () => {
      const { rest } = await examplesOf(sdk);
      const bytes = await Promise.all(
        ['stereo', 'both'].map(async (example) => {
          const { url } = rest(example);
          const { channels } = await played(url, 'wav');
          return rest(example).byte_size! / channels[0]!.length;
        }),
      );
      assert.ok(Math.abs(bytes[0]! / bytes[1]! - 2) < 0.02, `${bytes}`);
    });

    test('A27: mono has both, as long as stereo', async () => {
      const { file } = await examplesOf(sdk);
      const [stereo, mono] = await Promise.all(
        ['stereo', 'both'].map(async (example) => await file(example)),
      );
      const tail = (samples: Int16Array) => samples.length - activeSpan(samples).end;
      assert.ok(Math.abs(tail(stereo!.channels[0]!) - tail(mono!.channels[0]!)) <= 160);
      for (const sample of mono!.channels[0]!) assert.ok(Math.abs(sample) < 32_767);
    });

    test('A32: the beep is heard before the recording starts, and is not in the file', async () => {
      const script = await callWith(sdk, 'beep');
      await script.at('beep');
      assert.ok(hasTone(heardBy(script.phone), beepHz));
      await script.speakTone();
      script.go('beep');
      const { record_call_url } = await script.at('beep');
      await finished(await script.callId());
      const { rateHz, channels } = await played(record_call_url, 'mp3');
      assert.ok(hasTone(channels[0]!, voiceHz, rateHz));
      assert.equal(hasTone(channels[0]!, beepHz, rateHz), false);
      await script.end();
    });

    test('A7 A10 A55 X2: stop by control_id, however it is given, or the last one', async () => {
      const names = [
        'overview',
        'basic',
        'mono',
        'overview: stop',
        'stop the last',
        'stop the last',
        'stop the last',
      ];
      const script = stage.script();
      const call = await script.call(
        names.flatMap((name, index) => [action(script, sdk, name), script.note(`${index}`)]),
      );
      await call.ended;
      const results = await Promise.all(
        names.slice(3).map(async (_, index) => (await script.at(`${3 + index}`)).stop_record_call_result),
      );
      assert.deepEqual(results, ['success', 'success', 'success', 'failed']);
    });

    test('A30: the first condition ends it: a key', async () => {
      const script = await callWith(sdk, 'auto-stop');
      const { record_call_url } = await script.at('auto-stop');
      const said = await script.speak();
      await script.phone.pressDigit('#');
      const channels = await whenWhole(record_call_url);
      assertExactRun(channels[0]!, said);
      await script.end();
    });

    test('A30: the first condition ends it: five seconds of silence', async () => {
      const script = await callWith(sdk, 'auto-stop');
      const { record_call_url } = await script.at('auto-stop');
      await script.speakTone();
      const [samples] = await whenWhole(record_call_url);
      assertEndSilence(samples!, 5);
      await script.end();
    });

    test('A23: voicemail: three seconds of silence end it', async () => {
      const script = await callWith(sdk, 'voicemail');
      const { record_call_url } = await script.at('voicemail');
      await script.speakTone();
      const [samples] = await whenWhole(record_call_url);
      assertEndSilence(samples!, 3);
      await script.end();
    });

    test('A34 A35 A36: pause is a stop, resume a recording of the same name: two files, the secret in neither', async () => {
      const names = ['compliance: start', 'compliance: pause', 'compliance: resume'];
      const script = await callWith(sdk, ...names);
      const callId = await script.callId();
      const variables: Vars[] = [];
      const words: Int16Array[] = [];
      for (const name of names) {
        variables.push(await script.at(name));
        words.push(await script.speak());
        script.go(name);
      }
      const recordings = await finished(callId);
      assert.equal(recordings.length, 2);
      const id = `compliance_${callId}`;
      assert.deepEqual([variables[0]!.record_control_id, variables[2]!.record_control_id], [id, id]);
      assert.equal(variables[1]!.stop_record_call_result, 'success');
      const [first, second] = await Promise.all(
        [variables[0]!, variables[2]!].map(
          async ({ record_call_url }) => await played(record_call_url, 'wav'),
        ),
      );
      assert.deepEqual([first!.channels.length, second!.channels.length], [2, 2]);
      assertExactRun(first!.channels[0]!, words[0]!);
      assertExactRun(second!.channels[0]!, words[2]!);
      for (const { channels } of [first!, second!])
        for (const channel of channels) assertNoRun(channel, words[1]!, { minSamples: 80 });
      assertNoRun(second!.channels[0]!, words[0]!);
      assert.ok(hasTone(heardBy(script.phone), beepHz));
      // The second has no status_url: it is not inherited.
      assert.deepEqual(states(await script.events(2)), ['recording', 'finished']);
      const ids = script.requests().map(({ body }) => (body as RecordEvent).params.control_id);
      assert.deepEqual(ids, [id, id]);
    });

    for (const consents of [true, false])
      test(`A33: a caller who ${consents ? 'consents is' : 'declines is not'} recorded, and goes on`, async () => {
        const script = stage.script();
        const { url, sound } = script.prompt();
        const start = action(script, sdk, 'compliance: start');
        const call = await script.call([
          { prompt: { play: url, max_digits: 1, initial_timeout: 20 } },
          { switch: { variable: 'prompt_value', case: { 1: [start] }, default: [script.note('declined')] } },
          script.gate('goes on'),
          { play: { url } },
        ]);
        await eventually(
          'the question',
          () => call.received().length > sound.length || undefined,
          patienceMs,
        );
        await call.pressDigit(consents ? '1' : '2');
        await script.at('goes on');
        const said = await script.speak();
        script.go('goes on');
        await call.ended;
        const { body } = await stage.stage.http.get<{ data: RestRecording[] }>(`${path}?page_size=1000`);
        const callId = await script.callId();
        const count = body.data.filter((each) => each.relay_sip_leg_id === callId).length;
        assert.equal(count, consents ? 1 : 0);
        if (!consents) return;
        const { channels } = await script.file(await script.event('finished'));
        assertExactRun(channels[0]!, said);
        assertSounds(channels[1]!, sound);
      });
  });
