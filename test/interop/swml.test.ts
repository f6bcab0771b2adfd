import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { TestServer } from '../../src/testkit/server.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from '../e2e/eventually.ts';
import type { RecordEvent, RestRecording } from '../e2e/signalwire-stage.ts';
import { ensurePackages } from './debian.ts';
import { decode, probe } from './ffmpeg.ts';
import { FlaskApp } from './flask.ts';
import { plainWav } from './plain-wav.ts';
import { callsFile, recordCallApplication, statusesFile } from './record-call-page.ts';
import { runSippCaller } from './sipp.ts';

const rateHz = 8000;
/** The words of the page have been spoken by then, also where the machine is busy. */
const toneMs = 5000;
const keyMs = 7000;
const beepHz = 1400;
/** Said by the caller before and behind its key, and by the application's prompt. */
const [beforeHz, behindHz, promptHz] = [443, 1069, 617];
const silence = (durationMs: number) => new Int16Array((durationMs * rateHz) / 1000);
const concat = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

/** Silent while the page's prompt is spoken; then one tone, and from the key on another. */
const said = concat(
  silence(toneMs),
  tone({ frequencyHz: beforeHz, durationMs: keyMs - toneMs }),
  tone({ frequencyHz: behindHz, durationMs: 2000 }),
);
const callers = {
  mp3: '/page/mp3',
  playBack: '/page/play-back',
  playBackWithKey: '/page/play-back?pressed=yes',
  speaker: '/page/speaker',
  executes: '/agent/executes',
  forms: '/agent/forms',
  setting: '/agent/record-call-setting',
  autoStop: '/agent/auto-stop',
  beep: '/agent/beep',
} as const;
type Caller = keyof typeof callers;
const names = Object.keys(callers) as Caller[];
const pressing: readonly Caller[] = ['playBackWithKey', 'autoStop'];
const numberOf = (caller: Caller) => `3${String(names.indexOf(caller)).padStart(3, '0')}`;

interface Recorded extends RestRecording {
  created_at: string;
  channels: Int16Array[];
  codec: string;
}

let server: TestServer;
let app: FlaskApp;
let recorded: Recorded[];

const lines = async <T>(file: string): Promise<T[]> => {
  const text = await readFile(app.file(file), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
};

async function callIdOf(caller: Caller): Promise<string | undefined> {
  const calls = await lines<{ call_id: string; to: string }>(callsFile);
  return calls.find(({ to }) => to.includes(numberOf(caller)))?.call_id;
}

/** What this caller hears is recorded too, by REST: the page's documents play behind the end of theirs. */
async function listenTo(caller: Caller): Promise<void> {
  const id = await eventually(`the call of ${caller}`, () => callIdOf(caller));
  const { accountId, authToken } = server.callreel.credentials;
  const audio = {
    ...{ format: 'wav', direction: 'listen', terminators: '' },
    initial_timeout: 0,
    end_silence_timeout: 0,
  };
  await eventually(`media of ${caller}`, async () => {
    const response = await fetch(`${server.callreel.publicUrl}/api/calling/calls`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64')}`,
      },
      body: JSON.stringify({
        command: 'calling.record',
        id,
        params: { control_id: 'heard', record: { audio } },
      }),
    });
    return response.ok || undefined;
  });
}

async function callAs(caller: Caller): Promise<void> {
  const listener = server.callreel.sip.find(({ transport }) => transport === 'udp');
  await runSippCaller({
    target: { address: listener?.host ?? '', port: listener?.port ?? 0 },
    calls: [{ from: '+15558881188', to: numberOf(caller) }],
    timeoutMs: 60_000,
    stream: { audio: said, ...(pressing.includes(caller) && { key: { digit: '#', atMs: keyMs } }) },
  });
}

async function download(recording: RestRecording): Promise<Recorded> {
  const bytes = await eventually(`the file of ${recording.id}`, async () => {
    const response = await fetch(recording.url);
    return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : undefined;
  });
  const path = app.file(recording.id);
  await writeFile(path, bytes);
  const { codec, channels: count, rateHz: fileRateHz } = await probe(path);
  assert.equal(fileRateHz, rateHz);
  const { pcm: channels, complaints } = await decode(path, count);
  assert.equal(complaints, '');
  return { ...(recording as Recorded), channels, codec };
}

before(async () => {
  await ensurePackages('sip-tester', 'python3-flask', 'ffmpeg');
  app = await FlaskApp.prepare();
  server = await TestServer.start({
    numbers: names.map((caller) => ({
      number: numberOf(caller),
      dialect: 'signalwire',
      onIncoming: app.url + callers[caller],
    })),
  });
  const signingKey = readFileSync(join(server.dataDir, 'signalwire-signing-key'), 'utf8').trim();
  const prompt = plainWav(tone({ frequencyHz: promptHz, durationMs: 1500 }));
  await app.run(await recordCallApplication({ signingKey, prompt: Buffer.from(prompt) }));
  const listened: Caller[] = ['playBackWithKey', 'speaker'];
  await Promise.all([...names.map(callAs), ...listened.map(listenTo)]);
  const { data } = await server.api<{ data: RestRecording[] }>('/api/relay/rest/recordings?page_size=100');
  recorded = await Promise.all(data.map(download));
});
after(async () => {
  await app?.[Symbol.asyncDispose]();
  await server?.stop();
});

async function recordingsOf(caller: Caller): Promise<Recorded[]> {
  const id = await callIdOf(caller);
  return recorded
    .filter((recording) => recording.relay_sip_leg_id === id)
    .toSorted((one, other) => one.created_at.localeCompare(other.created_at));
}

async function onlyOneOf(caller: Caller, track: string): Promise<Recorded> {
  const found = (await recordingsOf(caller)).filter((recording) => recording.track === track);
  assert.equal(found.length, 1, caller);
  return found[0]!;
}

/** The loudest fifth of a second of a tone. */
function levelOf(samples: Int16Array | undefined, frequencyHz: number): number {
  const length = rateHz / 5;
  let loudest = Number.NEGATIVE_INFINITY;
  for (let start = 0; start + length <= samples!.length; start += length / 2)
    loudest = Math.max(loudest, toneLevelDbov(samples!, rateHz, frequencyHz, { start, end: start + length }));
  return loudest;
}

/** Tones lie at -15 dBov; words have something of each, below -38. */
function assertHas(
  samples: Int16Array | undefined,
  label: string,
  present: number[],
  absent: number[],
): void {
  const level = (frequencyHz: number) =>
    `${label}: ${frequencyHz} Hz at ${levelOf(samples, frequencyHz)} dBov`;
  for (const frequencyHz of present) assert.ok(levelOf(samples, frequencyHz) > -25, level(frequencyHz));
  for (const frequencyHz of absent) assert.ok(levelOf(samples, frequencyHz) < -30, level(frequencyHz));
}

/** Loudest sample of the stretch in which the page's prompt is spoken and the caller is silent. */
const promptPeak = (samples: Int16Array | undefined) =>
  samples!.subarray(0, 3 * rateHz).reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);

suite("seed 004: the page's documents, called by sipp", () => {
  test('the application asked in Python whether each request is ours, and refuses what is not', async () => {
    const asked = await lines<{ path: string }>(callsFile);
    assert.deepEqual(
      new Set(asked.map(({ path }) => path.replace(/\?$/, ''))),
      new Set(Object.values(callers)),
    );
    const headers = { 'content-type': 'application/json', 'x-signalwire-signature': '0'.repeat(40) };
    const forged = await fetch(`${app.url}/page/mp3`, { method: 'POST', headers, body: '{"call":{}}' });
    assert.equal(forged.status, 403);
  });

  test('an MP3 recording: its end is that of the document; where the script goes on, it goes on', async () => {
    const alone = await onlyOneOf('mp3', 'both');
    assert.deepEqual([alone.codec, alone.status, alone.stereo], ['mp3', 'completed', false]);
    const executed = await onlyOneOf('executes', 'both');
    assert.deepEqual([executed.codec, executed.status], ['mp3', 'completed']);
    assertHas(executed.channels[0], 'executed', [beforeHz, promptHz], []);
  });

  test('both sides: the prompt and the caller, before and behind the key that nobody listens to', async () => {
    const { channels, codec } = await onlyOneOf('playBack', 'both');
    assert.deepEqual([channels.length, codec], [1, 'pcm_s16le']);
    assert.ok(promptPeak(channels[0]) > 3000);
    assertHas(channels[0], 'both sides', [beforeHz, behindHz], [beepHz]);
    assert.ok(channels[0]!.length > 11 * rateHz, 'the prompt and ten seconds of silence');
  });

  test('# ends it where it goes down; what was recorded is played back all the same', async () => {
    const { channels } = await onlyOneOf('playBackWithKey', 'both');
    assert.ok(promptPeak(channels[0]) > 3000);
    assertHas(channels[0], 'until the key', [beforeHz], [behindHz, beepHz]);
    assert.ok(channels[0]!.length <= (keyMs * rateHz) / 1000);
    const heard = await onlyOneOf('playBackWithKey', 'outbound');
    assertHas(heard.channels[0], 'played back', [beforeHz], [behindHz]);
  });

  test("only the speaker's side: no prompt, no beep; and he hears himself", async () => {
    const { channels } = await onlyOneOf('speaker', 'inbound');
    assert.equal(promptPeak(channels[0]), 0);
    assertHas(channels[0], 'the speaker', [beforeHz, behindHz], [beepHz]);
    const heard = await onlyOneOf('speaker', 'outbound');
    assert.ok(promptPeak(heard.channels[0]) > 3000);
    assertHas(heard.channels[0], 'played back', [beforeHz, behindHz], []);
    assert.ok(heard.channels[0]!.length > channels[0]!.length * 2, 'what it plays back is recorded too');
  });
});

suite('seed 003: what agents answer with, called by sipp', () => {
  function assertSides({ channels, stereo, track, codec, id }: Recorded): void {
    const label = `${id} ${track} ${codec}`;
    assert.equal(channels.length, stereo ? 2 : 1, label);
    const [first, second] = channels;
    const hasCaller = track !== 'outbound';
    const hasPrompt = track !== 'inbound';
    const tones = (isThere: boolean, frequencyHz: number) => (isThere ? [frequencyHz] : []);
    if (stereo) {
      assertHas(first, `${label} left`, [], [promptHz]);
      assertHas(second, `${label} right`, [promptHz], [behindHz]);
    } else
      assertHas(first, label, tones(hasPrompt, promptHz), [
        ...tones(!hasCaller, beforeHz),
        ...tones(!hasCaller, behindHz),
        ...tones(!hasPrompt, promptHz),
      ]);
  }

  test('every form of record_call at once, each file with its own sides, format and length', async () => {
    const all = await recordingsOf('forms');
    const kinds = all.map(({ track, stereo, codec }) => `${track} ${stereo ? 'stereo' : 'mono'} ${codec}`);
    assert.deepEqual(kinds, [
      ...['both stereo pcm_s16le', 'both stereo pcm_s16le', 'both mono mp3', 'inbound mono pcm_s16le'],
      ...['outbound mono pcm_s16le', 'both mono pcm_s16le', 'both mono pcm_s16le', 'both mono pcm_s16le'],
      ...['both stereo pcm_s16le', 'both stereo pcm_s16le'],
    ]);
    for (const recording of all) {
      assert.equal(recording.status, 'completed');
      assertSides(recording);
    }
    const [wholeCall] = all;
    assertHas(wholeCall!.channels[0], 'the caller', [beforeHz, behindHz], []);
  });

  test('a pause by stop and start under one control id: what was said between is in neither file', async () => {
    const [one, other] = (await recordingsOf('forms')).slice(-2);
    const whole = (await recordingsOf('forms'))[0]!;
    const lengths = [one!, other!].map(({ channels }) => channels[0]!.length);
    assert.ok(lengths[0]! + lengths[1]! < whole.channels[0]!.length - rateHz / 2, `${lengths}`);
    assertHas(one!.channels[1], 'its beep is not in it', [promptHz], [beepHz]);
  });

  test('recordCall of the agent: stereo, caller left, agent right', async () => {
    const setting = await onlyOneOf('setting', 'both');
    assertSides(setting);
    assertHas(setting.channels[0], 'caller', [beforeHz], [promptHz]);
    assertHas(setting.channels[1], 'agent', [promptHz], []);
  });

  test('auto-stop: # ends it, the status_url is told', async () => {
    const auto = await onlyOneOf('autoStop', 'both');
    assertHas(auto.channels[0], 'until the key', [beforeHz, promptHz], [behindHz]);
  });

  test('a beep for the caller, and none in the file that it begins', async () => {
    const heard = await onlyOneOf('beep', 'outbound');
    const begun = await onlyOneOf('beep', 'both');
    assertHas(heard.channels[0], 'heard', [beepHz, promptHz], []);
    assertHas(begun.channels[0], 'recorded', [promptHz], [beepHz]);
    assert.equal(begun.codec, 'mp3');
  });

  test('webhooks: signed, in order, each with the very file', async () => {
    const events = await eventually('the events', async () => {
      const all = await lines<RecordEvent>(statusesFile);
      return all.length === 6 ? all : undefined;
    });
    for (const { event_type, params } of events) {
      assert.equal(event_type, 'calling.call.record');
      if (params.state !== 'finished') continue;
      const { channels } = recorded.find(({ id }) => id === params.recording_id)!;
      assert.equal(channels[0]!.length, Math.round(params.duration! * rateHz));
      assert.deepEqual(params.record, {
        ...params.record,
        url: params.url,
        size: params.size,
        format: 'wav',
      });
    }
    for (const id of new Set(events.map(({ params }) => params.control_id)))
      assert.deepEqual(
        events.filter(({ params }) => params.control_id === id).map(({ params }) => params.state),
        ['recording', 'finished'],
      );
  });
});
