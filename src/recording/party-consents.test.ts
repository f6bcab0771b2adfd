import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { tone } from '../audio/tone.ts';
import { wavHeaderBytes } from '../container/wav.ts';
import type { RecordingConsent, WorkerEvent } from '../media/control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { clipView } from '../render/recording-view.ts';
import { openRendition } from '../render/rendition.ts';
import { eraseRecording } from '../spool/erase.ts';
import { manifestFile } from '../spool/layout.ts';
import { readManifest } from '../spool/reader.ts';
import type { ManifestNotice } from '../spool/records.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { summariseRecording } from './summary.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const rateHz = 8000;
const toneOf = (frequencyHz: number, ms: number): Int16Array =>
  tone({ rateHz, frequencyHz, levelDbov: -20 }, (ms * rateHz) / 1000);
const noticeHz = 700;
const required = { consent: 'required', notice: true } as const;
const voice = { consentId: 'c', method: 'voice', who: 'Ann' };

let bench: RecordingBench;

beforeEach(() => {
  bench = new RecordingBench();
});

afterEach(async () => {
  await bench.close();
});

const record = (options: RecorderOptions) => bench.record('a', 'r', { options });
const notice = (ms: number, recordingId = 'r') =>
  bench.execute({
    ...{ verb: 'recording.notice', recordingId },
    audio: { samples: toneOf(noticeHz, ms), rateHz: 8000 },
  });
const consent = (given: Partial<RecordingConsent> = {}) =>
  bench.execute({ verb: 'recording.consent', recordingId: 'r', ...given });
const stop = async (reason: 'stopped' | 'consent_withdrawn' = 'stopped') => {
  await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason });
  await bench.slots(3);
};
const noticed = () =>
  bench.events.filter((event) => event.event === 'recording.noticed').map((event) => event.notice);
const consented = () =>
  bench.events.flatMap((event: WorkerEvent) =>
    event.event === 'recording.consented' ? [event.consent] : [],
  );
const manifest = (roomId = 'call-a') =>
  readManifest(join(bench.spool.spoolDirectory, manifestFile(roomId, 'r')));
const heardBy = (phone: TestPhone) =>
  phone.received.filter((packet) => packet.payload().some((byte) => (byte | 0x80) !== 0xff)).length * 20;

describe('the notice of a recording', () => {
  it('is in what the party hears where the recording runs, and is counted to the millisecond', async () => {
    const phone = await bench.call('a');
    await record({ notice: true });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await notice(390);
    await bench.slots(30, [[phone, toneOf(500, 600)]]);
    await stop();
    const [report, ...others] = noticed();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [report?.connectionId, report?.playedMs, report?.lengthMs, report?.outcome],
      ['a', 390, 390, 'played'],
    );
    const heard = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'heard-a', format: 'wav' });
    const said = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'said-a', format: 'wav' });
    assert.equal(loudMs(heard), 390);
    assert.deepEqual([tonesIn(heard), tonesIn(said)], [[noticeHz], [500]]);
    // Its place is where it is heard.
    assert.ok(Math.abs(heard.findIndex((sample) => Math.abs(sample) > 200) - report!.atSample) <= 170);
    assert.deepEqual(
      summariseRecording(bench.spool.spoolDirectory, 'call-a', 'r').notices,
      manifest().flatMap((line) => {
        const { type, ...rest } = line as ManifestNotice;
        return type === 'notice' ? [rest] : [];
      }),
    );
  });

  it('is in nothing where consent is required, and the consent says how much of it was heard', async () => {
    const phone = await bench.call('a');
    await record(required);
    await notice(400);
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    await consent({ given: { ...voice, consentId: 'early' } });
    const [early] = consented();
    assert.ok(early!.noticeMs! > 0 && early!.noticeMs! < 220, `${early?.noticeMs}`);
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await consent({ given: voice });
    assert.equal(consented()[1]!.noticeMs, 400);
    await stop();
    const said = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'said-a', format: 'wav' });
    assert.deepEqual(tonesIn(said), [500]);
    // What was still to come of it when consent was given is in what the party hears.
    const heard = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'heard-a', format: 'wav' });
    assert.ok(Math.abs(loudMs(heard) - (400 - early!.noticeMs!)) <= 20, `${loudMs(heard)}`);
  });

  it('counts what was sent where the party hangs up, presses a key, holds the call, or the recording ends', async () => {
    const phone = await bench.call('a');
    await record({ notice: true });
    await notice(2000);
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await phone.press('5');
    await bench.slots(3);
    const [byKey] = noticed();
    assert.equal(byKey?.outcome, 'key');
    const heardMs = heardBy(phone);
    assert.ok(Math.abs(byKey!.playedMs - heardMs) <= 20, `${byKey?.playedMs} ${heardMs}`);
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    assert.ok(Math.abs(heardBy(phone) - heardMs) <= 20, 'it is not heard any more');

    await bench.record('a', 'stopped', { options: { notice: true } });
    await notice(2000, 'stopped');
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.execute({ verb: 'recording.stop', recordingId: 'stopped', reason: 'stopped' });
    const ofStopped = noticed()[1]!;
    assert.deepEqual(ofStopped.outcome, 'stopped');
    assert.ok(ofStopped.playedMs >= 180 && ofStopped.playedMs <= 200, `${ofStopped.playedMs}`);

    await bench.record('a', 'held', { options: { notice: true } });
    await notice(1000, 'held');
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.execute(phone.negotiation('a', { direction: 'recvonly' }));
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await bench.execute(phone.negotiation('a'));
    await bench.slots(30, [[phone, toneOf(500, 600)]]);
    const held = noticed()[2]!;
    assert.deepEqual([held.outcome, held.lengthMs], ['played', 1000]);
    assert.ok(Math.abs(held.playedMs - 600) <= 20, `${held.playedMs}`);

    await bench.record('a', 'gone', { options: { notice: true } });
    await notice(2000, 'gone');
    await bench.slots(15, [[phone, toneOf(500, 300)]]);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    const gone = noticed()[3]!;
    assert.equal(gone.outcome, 'left');
    assert.ok(gone.playedMs >= 280 && gone.playedMs <= 300, `${gone.playedMs}`);
  });

  it('that can not be had is 0 ms, with the reason', async () => {
    await bench.call('a');
    await record({ notice: true });
    await bench.execute({
      ...{ verb: 'recording.notice', recordingId: 'r', audio: { failure: 'AUDIO_UNREACHABLE' } },
    });
    await bench.slots(2);
    const [report] = noticed();
    assert.deepEqual(
      [report?.playedMs, report?.lengthMs, report?.outcome, report?.reason],
      [0, 0, 'failed', 'AUDIO_UNREACHABLE'],
    );
    await stop();
  });

  it('waits for no music, and the music goes on behind it', async () => {
    const phone = await bench.call('a');
    const samples = toneOf(900, 100);
    await bench.execute({
      ...{ verb: 'play.start', legId: 'a', playId: 'music', rateHz: 8000, samples, loop: true },
    });
    await record({ notice: true, direction: 'listen' });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await notice(400);
    await bench.slots(40, [[phone, toneOf(500, 800)]]);
    assert.equal(noticed()[0]?.outcome, 'played');
    await stop();
    const heard = await bench.render('r', 'call-a');
    assert.deepEqual(
      [heard.subarray(0, 1400), heard.subarray(2400, 4800), heard.subarray(5600)].map(tonesIn),
      [[900], [noticeHz], [900]],
    );
  });

  it('is heard by whoever comes later, once, and not by who must not be recorded', async () => {
    const ann = await bench.call('a');
    const bob = await bench.call('b');
    const eve = await bench.call('e');
    await bench.join('a', 'room');
    await bench.recordRoom('room', 'r', { options: { notice: true } });
    await notice(400);
    await bench.slots(40, [[ann, toneOf(500, 800)]]);
    // What waits in a jitter buffer is heard by who comes, too.
    await bench.slots(10, [[ann, new Int16Array(0)]]);
    await bench.join('b', 'room');
    await bench.join('e', 'room', { policy: 'never' });
    await bench.slots(10, [[ann, new Int16Array(0)]]);
    // Nobody hears it before there is somebody to hear it.
    assert.equal(heardBy(bob), 0);
    await bench.slots(40, [[bob, new Int16Array(0)]]);
    await bench.execute({ verb: 'room.leave', legId: 'b' });
    await bench.join('b', 'room');
    await bench.slots(60, [[bob, new Int16Array(0)]]);
    assert.deepEqual(
      noticed().map(({ connectionId, playedMs, outcome }) => [connectionId, playedMs, outcome]),
      [
        ['a', 400, 'played'],
        ['b', 400, 'played'],
      ],
    );
    assert.equal(heardBy(eve), 0);
    await stop();
  });
});

describe('consent of parties', () => {
  it('each is recorded from its own consent on, also who comes when it runs; nobody else is in any track', async () => {
    const phones = new Map<string, TestPhone>();
    for (const legId of ['a', 'b', 'c', 'd']) phones.set(legId, await bench.call(legId));
    const [ann, bob, cid, dan] = [...phones.values()] as [TestPhone, TestPhone, TestPhone, TestPhone];
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.recordRoom('room', 'r', { options: { consent: 'required' } });
    const talk = (frequencyHz: number) =>
      bench.slots(
        20,
        [ann, bob, cid, dan].map((phone, index) => [phone, toneOf(frequencyHz + 100 * index, 400)] as const),
      );
    await talk(500);
    await consent({ given: voice, connectionId: 'a' });
    await bench.join('c', 'room');
    await bench.join('d', 'room');
    await talk(900);
    await consent({ connectionId: 'c' });
    await assert.rejects(consent({ connectionId: 'x' }), { code: 'NOT_FOUND', where: 'x' });
    await talk(1300);
    await bench.execute({ verb: 'room.leave', legId: 'c' });
    await bench.join('c', 'room', { trackId: 'c-again' });
    await talk(1700);
    await stop();
    const { tracks, end } = bench.open('r', 'room');
    assert.equal(end?.reason, 'stopped');
    assert.deepEqual(
      tracks.map(({ party }) => party.connectionId),
      ['a', 'c', 'c'],
    );
    const heard = await Promise.all(
      tracks.map(({ trackId }) => bench.render('r', 'room', { kind: 'channel', trackId, format: 'wav' })),
    );
    assert.deepEqual(heard.map(tonesIn), [[900, 1300, 1700], [1500], [1900]]);
    assert.deepEqual(consented()[0]?.connectionIds, ['a']);
    assert.equal(consented()[0]?.noticeMs, undefined);
  });

  for (const [label, end] of [
    ['stopped', () => stop()],
    ['hung up', () => bench.execute({ verb: 'leg.close', legId: 'a' }).then(() => bench.slots(3))],
  ] as const)
    it(`never given: ${label}, it holds nothing and says so`, async () => {
      const phone = await bench.call('a');
      await record({ consent: 'required', beep: true });
      await bench.slots(20, [[phone, toneOf(500, 400)]]);
      await end();
      const summary = summariseRecording(bench.spool.spoolDirectory, 'call-a', 'r');
      assert.deepEqual([summary.reason, summary.recordedSamples, summary.tracks], ['no_consent', 0, []]);
      assert.deepEqual(manifest().find(({ type }) => type === 'header')!, {
        ...manifest()[0],
        waitsFor: 'consent',
      });
      assert.deepEqual(segments(), []);
    });

  it('a second consent while the beep sounds makes no second beep', async () => {
    const phone = await bench.call('a');
    await record({ consent: 'required', beep: true });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await consent();
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await consent();
    await bench.slots(40, [[phone, toneOf(500, 800)]]);
    await stop();
    const heard = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'heard-a', format: 'wav' });
    assert.equal(loudMs(heard), 0);
  });
});

describe('the clip of a spoken consent', () => {
  const options = { ...required, keepConsentClip: true };

  it('holds what was said between the notice and the yes, in no other file; it is erased with the recording', async () => {
    const phone = await bench.call('a');
    await record(options);
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    await notice(400);
    await bench.slots(21, [[phone, toneOf(900, 420)]]);
    assert.equal(noticed()[0]?.outcome, 'played');
    await bench.slots(30, [[phone, toneOf(500, 600)]]);
    assert.deepEqual(segments(), []);
    await consent({ given: voice });
    await bench.slots(20, [[phone, toneOf(1300, 400)]]);
    const [{ clips, atSample }] = consented() as [ReturnType<typeof consented>[0]];
    assert.equal(clips.length, 1);
    const [clip] = clips as [(typeof clips)[0]];
    assert.deepEqual([clip.connectionId, clip.endSample], ['a', atSample]);
    const heard = await clipSamples(clip.clipId);
    assert.equal(heard.length, clip.endSample - clip.startSample);
    assert.ok(Math.abs(heard.length - 4800) <= 480, `${heard.length}`);
    assert.deepEqual(tonesIn(heard), [500]);
    await stop();
    assert.deepEqual(tonesIn(await clipSamples(clip.clipId)), [500]);
    assert.deepEqual(tonesIn(await bench.render('r', 'call-a')), [1300]);
    assert.ok(segments().includes(`${clip.clipId}.seg`));
    eraseRecording(bench.spool.spoolDirectory, 'call-a', 'r');
    assert.deepEqual(segments(), []);
  });

  it('is not kept where consent is given otherwise, withdrawn before, or never given', async () => {
    const phone = await bench.call('a');
    for (const [recordingId, end] of [
      ['withdrawn', () => undefined],
      ['never', () => undefined],
      ['otherwise', () => consent({ recordingId: 'otherwise', given: { ...voice, method: 'dtmf' } })],
    ] as const) {
      await bench.record('a', recordingId, { options: { consent: 'required', keepConsentClip: true } });
      await bench.slots(20, [[phone, toneOf(900, 400)]]);
      await end();
      const reason = recordingId === 'withdrawn' ? 'consent_withdrawn' : 'stopped';
      await bench.execute({ verb: 'recording.stop', recordingId, reason });
      await bench.slots(3);
      assert.deepEqual(bench.open(recordingId, 'call-a').clips, []);
      // Recorded from then on, it has both halves of the call.
      assert.equal(segments().length, recordingId === 'otherwise' ? 2 : 0);
    }
    assert.deepEqual(consented()[0]?.clips, []);
  });

  it('is no longer than ten seconds, and has nothing of a pause', async () => {
    const phone = await bench.call('a');
    await record({ consent: 'required', keepConsentClip: true });
    await bench.slots(200, [[phone, toneOf(900, 4000)]]);
    await bench.slots(500, [[phone, toneOf(500, 10_000)]]);
    await consent({ given: voice });
    const [{ clips }] = consented() as [ReturnType<typeof consented>[0]];
    await bench.slots(3);
    assert.deepEqual(tonesIn(await clipSamples(clips[0]!.clipId)), [500]);
    assert.ok(clips[0]!.endSample - clips[0]!.startSample <= 10 * rateHz);

    await bench.record('a', 'p', { options: { consent: 'required', keepConsentClip: true } });
    await bench.slots(20, [[phone, toneOf(900, 400)]]);
    const pause = { recordingId: 'r', behaviour: 'skip', scope: 'call' } as const;
    await bench.execute({ verb: 'recording.pause', ...pause });
    await bench.slots(20, [[phone, toneOf(900, 400)]]);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await bench.slots(100, [[phone, toneOf(500, 2000)]]);
    await consent({ recordingId: 'p', given: voice });
    await bench.slots(3);
    const after = consented()[1]!.clips[0]!;
    assert.deepEqual(tonesIn(await clipSamples(after.clipId, 'p')), [500]);
  });

  it('of everybody whose consent it is', async () => {
    const ann = await bench.call('a');
    const bob = await bench.call('b');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.recordRoom('room', 'r', { options: { consent: 'required', keepConsentClip: true } });
    await bench.slots(20, [
      [ann, toneOf(500, 400)],
      [bob, toneOf(900, 400)],
    ]);
    await consent({ given: voice });
    await bench.slots(3);
    const { clips } = consented()[0]!;
    assert.deepEqual(
      clips.map(({ connectionId }) => connectionId),
      ['a', 'b'],
    );
    const heard = await Promise.all(clips.map(({ clipId }) => clipSamples(clipId, 'r', 'room')));
    assert.deepEqual(heard.map(tonesIn), [[500], [900]]);
    await stop();
  });
});

async function clipSamples(clipId: string, recordingId = 'r', roomId = 'call-a'): Promise<Int16Array> {
  const view = clipView(bench.open(recordingId, roomId), clipId);
  const rendition = openRendition(view, { kind: 'channel', trackId: clipId, format: 'wav' });
  const bytes = Buffer.concat(await Array.fromAsync(rendition.read()));
  return new Int16Array(Uint8Array.from(bytes.subarray(wavHeaderBytes)).buffer);
}

/** On disk, the journals' mention of them included. */
function segments(): string[] {
  const { spoolDirectory } = bench.spool;
  return readdirSync(spoolDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.seg') || (name.endsWith('.jnl') && mentionsSegments(name)))
    .map((name) => name.split('/').at(-1)!);

  function mentionsSegments(name: string): boolean {
    return readFileSync(join(spoolDirectory, name)).includes('.seg');
  }
}

const loudMs = (samples: Int16Array): number => {
  const isLoud = (sample: number): boolean => Math.abs(sample) > 100;
  const from = samples.findIndex(isLoud);
  // A sine begins and ends softly.
  return from < 0 ? 0 : Math.round((samples.findLastIndex(isLoud) + 1 - from) / 80) * 10;
};

function tonesIn(samples: Int16Array): number[] {
  const all = [500, noticeHz, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 2000];
  return all.filter((frequencyHz) => levelOf(samples, frequencyHz) > 100);
}

function levelOf(samples: Int16Array, frequencyHz: number): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < samples.length; i++) {
    const angle = (2 * Math.PI * frequencyHz * i) / rateHz;
    re += samples[i]! * Math.cos(angle);
    im += samples[i]! * Math.sin(angle);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}
