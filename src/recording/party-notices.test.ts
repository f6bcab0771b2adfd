import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { manifestFile } from '../spool/layout.ts';
import { readManifest } from '../spool/reader.ts';
import type { ManifestNotice } from '../spool/records.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { summariseRecording } from './summary.ts';
import { ConsentBench, heardBy, loudMs, noticeHz, toneOf, tonesIn, voice } from './test-consent-bench.ts';

throwOnUnlistedTransitions();

const required = { consent: 'required', notice: true } as const;
let bench: ConsentBench;

beforeEach(() => {
  bench = new ConsentBench();
});

afterEach(async () => {
  await bench.close();
});

const manifest = () => readManifest(join(bench.spool.spoolDirectory, manifestFile('call-a', 'r')));

describe('the notice of a recording', () => {
  it('is in what the party hears where the recording runs, and is counted to the millisecond', async () => {
    const phone = await bench.call('a');
    await bench.recordCall({ notice: true });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.notice(390);
    await bench.slots(30, [[phone, toneOf(500, 600)]]);
    await bench.stop();
    const [report, ...others] = bench.noticed;
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
    await bench.recordCall(required);
    await bench.notice(400);
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    await bench.consent({ given: { ...voice, consentId: 'early' } });
    const [early] = bench.consented;
    assert.ok(early!.noticeMs! > 0 && early!.noticeMs! < 220, `${early?.noticeMs}`);
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await bench.consent({ given: voice });
    assert.equal(bench.consented[1]!.noticeMs, 400);
    await bench.stop();
    const said = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'said-a', format: 'wav' });
    assert.deepEqual(tonesIn(said), [500]);
    // What was still to come of it when consent was given is in what the party hears.
    const heard = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'heard-a', format: 'wav' });
    assert.ok(Math.abs(loudMs(heard) - (400 - early!.noticeMs!)) <= 20, `${loudMs(heard)}`);
  });

  it('counts what was sent where the party hangs up, presses a key, holds the call, or the recording ends', async () => {
    const phone = await bench.call('a');
    await bench.recordCall({ notice: true });
    await bench.notice(2000);
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await phone.press('5');
    await bench.slots(3);
    const [byKey] = bench.noticed;
    assert.equal(byKey?.outcome, 'key');
    const heardMs = heardBy(phone);
    assert.ok(Math.abs(byKey!.playedMs - heardMs) <= 20, `${byKey?.playedMs} ${heardMs}`);
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    assert.ok(Math.abs(heardBy(phone) - heardMs) <= 20, 'it is not heard any more');

    await bench.record('a', 'stopped', { options: { notice: true } });
    await bench.notice(2000, 'stopped');
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.execute({ verb: 'recording.stop', recordingId: 'stopped', reason: 'stopped' });
    const ofStopped = bench.noticed[1]!;
    assert.deepEqual(ofStopped.outcome, 'stopped');
    assert.ok(ofStopped.playedMs >= 180 && ofStopped.playedMs <= 200, `${ofStopped.playedMs}`);

    await bench.record('a', 'held', { options: { notice: true } });
    await bench.notice(1000, 'held');
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.execute(phone.negotiation('a', { direction: 'recvonly' }));
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await bench.execute(phone.negotiation('a'));
    await bench.slots(30, [[phone, toneOf(500, 600)]]);
    const held = bench.noticed[2]!;
    assert.deepEqual([held.outcome, held.lengthMs], ['partial', 1000]);
    assert.ok(Math.abs(held.playedMs - 600) <= 20, `${held.playedMs}`);

    await bench.record('a', 'gone', { options: { notice: true } });
    await bench.notice(2000, 'gone');
    await bench.slots(15, [[phone, toneOf(500, 300)]]);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    const gone = bench.noticed[3]!;
    assert.equal(gone.outcome, 'left');
    assert.ok(gone.playedMs >= 280 && gone.playedMs <= 300, `${gone.playedMs}`);
  });

  it('that can not be had is 0 ms, with the reason', async () => {
    await bench.call('a');
    await bench.recordCall({ notice: true });
    await bench.execute({
      ...{ verb: 'recording.notice', recordingId: 'r', audio: { failure: 'AUDIO_UNREACHABLE' } },
    });
    await bench.slots(2);
    const [report] = bench.noticed;
    assert.deepEqual(
      [report?.playedMs, report?.lengthMs, report?.outcome, report?.reason],
      [0, 0, 'failed', 'AUDIO_UNREACHABLE'],
    );
    await bench.stop();
  });

  it('waits for no music, and the music goes on behind it', async () => {
    const phone = await bench.call('a');
    const samples = toneOf(900, 100);
    await bench.execute({
      ...{ verb: 'play.start', legId: 'a', playId: 'music', rateHz: 8000, samples, loop: true },
    });
    await bench.recordCall({ notice: true, direction: 'listen' });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.notice(400);
    await bench.slots(40, [[phone, toneOf(500, 800)]]);
    assert.equal(bench.noticed[0]?.outcome, 'played');
    await bench.stop();
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
    await bench.notice(400);
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
      bench.noticed.map(({ connectionId, playedMs, outcome }) => [connectionId, playedMs, outcome]),
      [
        ['a', 400, 'played'],
        ['b', 400, 'played'],
      ],
    );
    assert.equal(heardBy(eve), 0);
    await bench.stop();
  });

  it('that a party ended by a key, or heard, is not played again when it comes back; one that it left is', async () => {
    const phones = [await bench.call('a'), await bench.call('b'), await bench.call('c')];
    const talk = (slots: number) =>
      bench.slots(
        slots,
        phones.map((phone) => [phone, toneOf(500, slots * 20)]),
      );
    for (const legId of ['a', 'b', 'c']) await bench.join(legId, 'room');
    await talk(2);
    await bench.recordRoom('room', 'r', { options: { notice: true } });
    await bench.notice(400);
    await talk(10);
    await phones[0]!.press('1');
    await bench.execute({ verb: 'room.leave', legId: 'b' });
    await talk(30);
    for (const legId of ['a', 'c']) await bench.execute({ verb: 'room.leave', legId });
    for (const legId of ['a', 'b', 'c']) await bench.join(legId, 'room');
    await talk(40);
    assert.deepEqual(
      bench.noticed.map(({ connectionId, outcome }) => `${connectionId} ${outcome}`),
      ['b left', 'a key', 'c played', 'b played'],
    );
    await bench.stop();
  });

  it('is in the consent of several parties as the one has heard it that heard the least', async () => {
    const [ann, bob] = [await bench.call('a'), await bench.call('b')];
    await bench.join('a', 'room');
    await bench.slots(2, [[ann, toneOf(500, 40)]]);
    await bench.recordRoom('room', 'r', { options: required });
    await bench.notice(400);
    await bench.slots(10, [[ann, toneOf(500, 200)]]);
    await bench.join('b', 'room');
    await bench.slots(10, [
      [ann, toneOf(500, 200)],
      [bob, toneOf(700, 200)],
    ]);
    await bench.consent({ given: voice });
    const [{ connectionIds, noticeMs } = { connectionIds: [] }] = bench.consented;
    assert.deepEqual(connectionIds, ['a', 'b']);
    const heardMs = heardBy(bob);
    assert.ok(heardMs < 220 && Math.abs(noticeMs! - heardMs) <= 20, `${noticeMs} ${heardMs}`);
    await bench.stop();
  });
});
