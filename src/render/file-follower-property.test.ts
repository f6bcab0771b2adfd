import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseWav } from '../container/wav-parser.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import { openSpool } from '../spool/reader.ts';
import { randomOf } from '../timeline/test-random.ts';
import { FileFollower } from './file-follower.ts';
import { GrowingSignal } from './growing-signal.ts';
import { PlacedPackets } from './placed-packets.ts';
import { recordingView } from './recording-view.ts';
import { openRendition } from './rendition.ts';
import { RandomRecording } from './test-random-recording.ts';

/** Written along, many packets at once where they only go on, against each packet by itself, at the end. */
async function assertSame(seed: number, trouble: number, seconds: number, stereo: boolean): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'callreel-random-'));
  const recording = new RandomRecording(seed, trouble, seconds);
  const { spool } = recording;
  try {
    const path = join(directory, 'a.wav');
    const growing = new GrowingRecording(spool.path('room'), 'A', spool.masterKey);
    const signal = new GrowingSignal({ recording: growing, stereo, clock: spool.clock });
    const follower = new FileFollower({ signal, path, format: 'wav' });
    const random = randomOf(seed);
    for (let timeUs = 0; timeUs < recording.endUs; ) {
      const stepUs = Math.round(50_000 + random() ** 3 * 6_000_000);
      timeUs += stepUs;
      spool.clock.advanceUs(stepUs);
      recording.until(timeUs);
      follower.step();
    }
    recording.end();
    follower.finish();
    const view = recordingView(openSpool(spool.path('room'), 'A', spool.masterKey));
    const rendition = openRendition(view, { kind: stereo ? 'stereo' : 'mix', format: 'wav' });
    const whole = Buffer.concat(await Array.fromAsync(rendition.read()));
    const along = readFileSync(path);
    assert.equal(along.length, whole.length, `seed ${seed}`);
    assert.ok(along.equals(whole), `seed ${seed}, from ${along.findIndex((byte, at) => byte !== whole[at])}`);
    assert.ok(parseWav(along).data.some((byte) => byte > 1));
  } finally {
    spool.remove();
    rmSync(directory, { recursive: true });
  }
}

for (const [trouble, seeds, seconds] of [
  [0, 2, 90],
  [0.1, 12, 90],
  [1, 12, 60],
  [4, 8, 30],
] as const)
  test(`random histories (${trouble}): what is written along is the rendition, byte for byte`, async () => {
    for (let seed = 1; seed <= seeds; seed++)
      await assertSame(1000 * trouble + seed, trouble, seconds, seed % 4 !== 0);
  });

test('a stream that only goes on is placed many packets at once', () => {
  const recording = new RandomRecording(1, 0, 20);
  try {
    recording.until(20_000_000);
    const { spool } = recording;
    const growing = new GrowingRecording(spool.path('room'), 'A', spool.masterKey);
    const [spooled] = growing.look().tracks;
    const track = growing.track('t0');
    const records = () => ({ [Symbol.iterator]: () => track });
    const view = { ...spooled!, records, isWhole: () => track.isWhole, nextSeries: () => track.nextSeries() };
    const packets = new PlacedPackets(view, { rateHz: 8000 });
    packets.poll();
    let [alone, together] = [0, 0];
    for (let next = packets.before(120_000); next; next = packets.before(120_000))
      if (next.followers > 0) together += next.followers + 1;
      else alone++;
    assert.ok(alone < 60 && together > 500, `${alone} alone, ${together} together`);
  } finally {
    recording.spool.remove();
  }
});
