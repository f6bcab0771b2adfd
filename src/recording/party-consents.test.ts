import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { TestPhone } from '../media/test-phone.ts';
import { manifestFile } from '../spool/layout.ts';
import { readManifest } from '../spool/reader.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { summariseRecording } from './summary.ts';
import { ConsentBench, loudMs, toneOf, tonesIn, voice } from './test-consent-bench.ts';

throwOnUnlistedTransitions();

let bench: ConsentBench;

beforeEach(() => {
  bench = new ConsentBench();
});

afterEach(async () => {
  await bench.close();
});

const manifest = () => readManifest(join(bench.spool.spoolDirectory, manifestFile('call-a', 'r')));

const segments = () =>
  readdirSync(bench.spool.spoolDirectory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.seg'),
  );

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
    await bench.consent({ given: voice, connectionId: 'a' });
    await bench.join('c', 'room');
    await bench.join('d', 'room');
    await talk(900);
    await bench.consent({ connectionId: 'c' });
    await assert.rejects(bench.consent({ connectionId: 'x' }), { code: 'NOT_FOUND', where: 'x' });
    await talk(1300);
    await bench.execute({ verb: 'room.leave', legId: 'c' });
    await bench.join('c', 'room', { trackId: 'c-again' });
    await talk(1700);
    await bench.stop();
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
    assert.deepEqual(bench.consented[0]?.connectionIds, ['a']);
    assert.equal(bench.consented[0]?.noticeMs, undefined);
  });

  for (const [label, end] of [
    ['stopped', () => bench.stop()],
    ['hung up', () => bench.execute({ verb: 'leg.close', legId: 'a' }).then(() => bench.slots(3))],
  ] as const)
    it(`never given: ${label}, it holds nothing and says so`, async () => {
      const phone = await bench.call('a');
      await bench.recordCall({ consent: 'required', beep: true });
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
    await bench.recordCall({ consent: 'required', beep: true });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.consent();
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.consent();
    await bench.slots(40, [[phone, toneOf(500, 800)]]);
    await bench.stop();
    const heard = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'heard-a', format: 'wav' });
    assert.equal(loudMs(heard), 0);
  });
});
