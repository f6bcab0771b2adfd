import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { eventually } from './eventually.ts';
import { patternsIn } from './paused-conversation.ts';
import {
  annHz,
  bobHz,
  type ConsentBody,
  type NoticeBody,
  type Party,
  RecorderStage,
  type RecordingBody,
  sayTone,
  secretHz,
  wavChannels,
  wavSamples,
  whoIsIn,
} from './recorder-stage.ts';
import { saySecret } from './secret-payloads.ts';
import { unsealSpool } from './unseal.ts';

/** Notices, who heard how much of them, and what is kept of a spoken consent; on calls of real phones. */
const stage = await RecorderStage.open();
after(() => stage[Symbol.asyncDispose]());
const required = { consent: 'required' };
const noticeMs = 600;
const notice = { notice_url: stage.promptUrl(noticeMs) };
/** What is heard partly on hold, and how long that lasts. */
const [heldMs, holdMs] = [3000, 1000];
const long = { notice_url: stage.promptUrl(20_000) };
const consentPath = ({ recording_id }: RecordingBody) => `/v1/recordings/${recording_id}/consent`;

async function consent(recording: RecordingBody, body: object): Promise<RecordingBody> {
  const answer = await stage.post<RecordingBody>(consentPath(recording), body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const noticed = (recording: RecordingBody, count = 1): Promise<NoticeBody[]> =>
  eventually(`${count} notices of ${recording.recording_id}`, async () => {
    const { notices } = await stage.get(recording);
    return notices.length >= count ? notices : undefined;
  });

async function recordRoom(room: string, options: object): Promise<RecordingBody> {
  const { status, body } = await stage.post<RecordingBody>(`/v1/conferences/${room}/recordings`, options);
  assert.equal(status, 201, JSON.stringify(body));
  return await stage.get(body);
}

/** What the party hears, from a moment on. */
function hears({ call }: Party): () => string {
  const before = call.received(8000).length;
  return () => whoIsIn(call.received(8000).subarray(before));
}

/** Starts a recording; when it returns the party has heard so much of its notice. */
async function heardFor(party: Party, ms: number, options: object): Promise<RecordingBody> {
  const before = heardMs(party);
  const recording = await stage.record(party, options);
  await eventually(`${ms} ms of the notice`, () => heardMs(party) - before >= ms || undefined);
  return recording;
}

/** Of anything that is not silence, in packets of 20 ms. */
function heardMs({ call }: Party): number {
  const samples = call.received(8000);
  let packets = 0;
  for (let at = 0; at < samples.length; at += 160)
    if (samples.subarray(at, at + 160).some((sample) => Math.abs(sample) > 500)) packets++;
  return 20 * packets;
}

interface RecordingEvent {
  recording_id: string;
  state: string;
  reason?: string;
  recorded_ms?: number;
  consents: ConsentBody[];
  notices: NoticeBody[];
}

suite('recorder: notices', { concurrency: false }, () => {
  test('a call: the notice is in what the party hears, and on record with what was really played', async () => {
    const ann = await stage.join('notice');
    const path = '/notice-events';
    const status_url = stage.scene.handle<RecordingEvent>(path, () => ({}));
    const recording = await stage.record(ann, { ...notice, stereo: true, status_url });
    const [heard, ...others] = await noticed(recording);
    assert.deepEqual(others, []);
    const { at_ms, ...rest } = heard!;
    assert.deepEqual(rest, {
      connection_id: ann.connectionId,
      ...{ played_ms: noticeMs, length_ms: noticeMs, outcome: 'played', reason: null },
    });
    await sayTone(ann, annHz);
    const ended = await stage.stop(recording);
    assert.deepEqual(ended.notices, [heard]);
    const channels = await wavChannels(ended);
    assert.deepEqual(channels.map(whoIsIn), ['ann', 'prompt']);
    const loud = channels[1]!.findIndex((sample) => Math.abs(sample) > 1000);
    assert.ok(Math.abs(loud / 8 - at_ms) <= 40, `${loud / 8} ${at_ms}`);
    const last = await eventually('the last event', () =>
      stage.scene.app
        .requests(path)
        .map(({ body }) => body as RecordingEvent)
        .find(({ reason }) => reason !== undefined),
    );
    assert.deepEqual([last.notices, last.consents], [[heard], []]);
    await ann.call.hangUp();
  });

  test('spoken, by the engine that is inside', async () => {
    const ann = await stage.join('spoken');
    const recording = await stage.record(ann, { notice_text: 'Recorded.', notice_voice: 'slt' });
    const [heard] = await noticed(recording);
    assert.equal(heard!.outcome, 'played');
    assert.ok(heard!.length_ms > 200 && heard!.played_ms === heard!.length_ms, JSON.stringify(heard));
    const samples = await wavSamples(await stage.stop(recording));
    assert.ok(samples.some((sample) => Math.abs(sample) > 1000));
    await ann.call.hangUp();
  });

  test('cut by a key, by hanging up, by the end of the recording; not to be had; on hold', async () => {
    const ann = await stage.join('cut');
    const heardBefore = heardMs(ann);
    const byKey = await heardFor(ann, 300, long);
    await ann.call.pressDigit('1');
    // What was on its way is over.
    await setTimeout(200);
    const heardOfIt = heardMs(ann) - heardBefore;
    const byEnd = await heardFor(ann, 300, long);
    const ended = await stage.stop(byEnd);
    const missing = await stage.record(ann, { notice_url: stage.promptUrl(0) });
    const empty = await stage.record(ann, { notice_text: '-' });
    await noticed(empty);
    await setTimeout(200);
    const onHold = await heardFor(ann, 300, { notice_url: stage.promptUrl(heldMs) });
    await ann.call.hold();
    await setTimeout(holdMs);
    await ann.call.resume();
    const [held] = await noticed(onHold);
    await setTimeout(200);
    const hungUp = await heardFor(ann, 300, long);
    await ann.call.hangUp();
    const [key] = await noticed(byKey);
    const [stopped] = ended.notices;
    const [left] = await noticed(hungUp);
    for (const [outcome, report] of [
      ['key', key],
      ['stopped', stopped],
      ['left', left],
    ] as const) {
      assert.deepEqual([report!.outcome, report!.length_ms], [outcome, 20_000]);
      assert.ok(report!.played_ms >= 200 && report!.played_ms < 2000, JSON.stringify(report));
    }
    assert.ok(Math.abs(key!.played_ms - heardOfIt) <= 40, `${key!.played_ms} ${heardOfIt}`);
    const [failed] = await noticed(missing);
    assert.deepEqual(
      [failed!.played_ms, failed!.length_ms, failed!.outcome, failed!.reason],
      [0, 0, 'failed', 'AUDIO_UNREACHABLE'],
    );
    // Nothing of it can be said.
    const [unspoken] = await noticed(empty);
    assert.deepEqual(
      [unspoken!.played_ms, unspoken!.outcome, unspoken!.reason],
      [0, 'failed', 'AUDIO_INVALID'],
    );
    assert.deepEqual([held!.outcome, held!.length_ms], ['partial', heldMs]);
    assert.ok(held!.played_ms >= 300 && held!.played_ms <= heldMs - holdMs / 2, JSON.stringify(held));
  });

  test('a conference: who comes late hears it too, and is recorded from its own consent on', async () => {
    const room = 'late';
    const ann = await stage.join(room);
    const annHears = hears(ann);
    const recording = await recordRoom(room, { ...required, ...notice });
    await noticed(recording);
    assert.equal(annHears(), 'prompt');
    const first = await consent(recording, { method: 'dtmf', who: 'Ann', connection_id: ann.connectionId });
    const [{ at: _, audio_offset_ms, ...rest }] = first.consents as [ConsentBody];
    assert.deepEqual(rest, {
      ...{ method: 'dtmf', who: 'Ann', connection_ids: [ann.connectionId], notice_ms: noticeMs, clips: [] },
    });
    assert.ok(audio_offset_ms! >= noticeMs);
    await stage.in(recording, 'recording');
    const bob = await stage.join(room, 2);
    const bobHears = hears(bob);
    await noticed(recording, 2);
    assert.match(bobHears(), /prompt/);
    await sayTone(ann, annHz);
    await sayTone(bob, secretHz);
    const unknown = await stage.post(consentPath(recording), {
      ...{ method: 'dtmf', who: 'x', connection_id: '0123456789abcdef' },
    });
    assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'NOT_FOUND']);
    await consent(recording, { method: 'dtmf', who: 'Bob', connection_id: bob.connectionId });
    await sayTone(bob, bobHz);
    const ended = await stage.stop(recording);
    assert.equal(whoIsIn(await wavSamples(ended)), 'ann+bob');
    assert.deepEqual(
      ended.consents.map(({ who, connection_ids }) => [who, connection_ids]),
      [
        ['Ann', [ann.connectionId]],
        ['Bob', [bob.connectionId]],
      ],
    );
    assert.deepEqual(
      ended.notices.map(({ connection_id, played_ms }) => [connection_id, played_ms]),
      [
        [ann.connectionId, noticeMs],
        [bob.connectionId, noticeMs],
      ],
    );
    const { channels } = await stage.get(recording);
    assert.equal(channels.length, 2);
    await Promise.all([ann.call.hangUp(), bob.call.hangUp()]);
  });
});

suite('recorder: the clip of a spoken consent', { concurrency: false }, () => {
  const options = { ...required, ...notice, keep_consent_clip: true };
  const clipPath = (recording: RecordingBody, clip: string) =>
    `/v1/recordings/${recording.recording_id}/consent-clips/${clip}`;

  test('kept as evidence, in no other file, and gone when consent is withdrawn', async () => {
    const ann = await stage.join('clip');
    const recording = await stage.record(ann, options);
    await sayTone(ann, secretHz, 300);
    await noticed(recording);
    await sayTone(ann, annHz);
    const { consents } = await consent(recording, { method: 'voice', who: 'Ann' });
    const [{ clips, notice_ms, audio_offset_ms }] = consents as [ConsentBody];
    assert.equal(notice_ms, noticeMs);
    const [clip, ...others] = clips;
    assert.deepEqual([clip!.connection_id, others], [ann.connectionId, []]);
    assert.ok(Math.abs(clip!.start_ms + clip!.duration_ms - audio_offset_ms!) <= 2);
    const path = clipPath(recording, clip!.clip_id);
    await stage.in(recording, 'recording');
    await sayTone(ann, bobHz);
    const live = await stage.http.bytes(path);
    const [heard] = decodeWav(live).channels;
    assert.equal(whoIsIn(heard!), 'ann');
    assert.ok(Math.abs(heard!.length / 8 - clip!.duration_ms) <= 1);
    const ended = await stage.stop(recording);
    assert.deepEqual(Buffer.from(await stage.http.bytes(path)), Buffer.from(live));
    assert.equal(whoIsIn(await wavSamples(ended)), 'bob');
    const none = await stage.http.get<{ error: { code: string } }>(clipPath(recording, '0123456789abcdef'));
    assert.deepEqual([none.status, none.body.error.code], [404, 'NOT_FOUND']);
    assert.equal((await stage.http.delete(consentPath(recording))).status, 204);
    const gone = await stage.http.get<{ error: { code: string } }>(path);
    assert.deepEqual([gone.status, gone.body.error.code], [410, 'RECORDING_ERASED']);
    assert.ok(!files().some((name) => name.includes(clip!.clip_id)));
    const { body } = await stage.http.get<{ results: RecordingBody[] }>('/v1/recordings?erased=true');
    const [row] = body.results.filter(({ recording_id }) => recording_id === recording.recording_id);
    assert.deepEqual(
      [row!.consents.map((each) => [each.who, each.clips]), row!.notices.length],
      [[['Ann', []]], 1],
    );
    await ann.call.hangUp();
  });

  test('not in any byte on the disk, sealed or not, unless consent is given by voice', async () => {
    const ann = await stage.join('no clip');
    const started = { ...required, keep_consent_clip: true };
    const [byVoice, byKey, never] = [
      await stage.record(ann, started),
      await stage.record(ann, started),
      await stage.record(ann, started),
    ] as const;
    await saySecret(ann.call, 1);
    const patterns = await saySecret(ann.call, 2);
    assert.equal(await found(patterns), 0, 'while it waits');
    await consent(byKey, { method: 'dtmf', who: 'Ann' });
    await stage.stop(byKey);
    const ended = await stage.stop(never);
    assert.deepEqual([ended.reason, ended.recorded_ms, ended.consents], ['no_consent', 0, []]);
    assert.equal(await found(patterns), 0, 'consent was given otherwise, or not');
    const { consents } = await consent(byVoice, { method: 'voice', who: 'Ann' });
    await stage.stop(byVoice);
    assert.equal(await found(patterns), patterns.length, 'the control');
    assert.equal((await stage.http.delete(consentPath(byVoice))).status, 204);
    assert.equal(await found(patterns), 0, 'withdrawn');
    assert.ok(!files().some((name) => name.includes(consents[0]!.clips[0]!.clip_id)));
    await ann.call.hangUp();
  });

  const files = () => readdirSync(stage.scene.server.dataDir, { recursive: true, encoding: 'utf8' });

  /** How many of them lie in the data directory, as it is or opened with every key there is. */
  async function found(patterns: readonly Uint8Array[]): Promise<number> {
    const { dataDir } = stage.scene.server;
    const target = mkdtempSync(join(tmpdir(), 'callreel-unsealed-'));
    try {
      unsealSpool(dataDir, target);
      const [sealed, opened] = [await patternsIn(dataDir, patterns), await patternsIn(target, patterns)];
      return sealed + opened;
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }
});
