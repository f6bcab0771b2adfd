import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseWav } from '../container/wav-parser.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import { openSpool, readTrack } from '../spool/reader.ts';
import { randomOf } from '../timeline/test-random.ts';
import { FileFollower } from './file-follower.ts';
import { GrowingSignal } from './growing-signal.ts';
import { PlacedPackets } from './placed-packets.ts';
import { recordingMarks } from './recording-marks.ts';
import { recordingView } from './recording-view.ts';
import { openRendition, type Rendition } from './rendition.ts';
import { RandomRecording } from './test-random-recording.ts';
import type { RecordingView } from './track-source.ts';

const bytesOf = async ({ read }: Rendition, fromByte?: number): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(read(fromByte)));

/** Written along, and read at the end, many packets at once where they only go on, against each packet by itself. */
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
    const spooled = openSpool(spool.path('room'), 'A', spool.masterKey);
    const view = recordingView(spooled);
    const oneByOne: RecordingView = {
      ...view,
      tracks: view.tracks.map((track, index) => ({
        ...track,
        records: () => readTrack(spooled.tracks[index]!),
      })),
    };
    const request = { kind: stereo ? 'stereo' : 'mix', format: 'wav' } as const;
    const expected = await bytesOf(openRendition(oneByOne, request));
    const whole = openRendition(view, request);
    assertEqual(readFileSync(path), expected, `seed ${seed}, along`);
    assertEqual(await bytesOf(whole), expected, `seed ${seed}, whole`);
    const fromByte = Math.floor(random() * expected.length);
    assertEqual(await bytesOf(whole, fromByte), expected.subarray(fromByte), `seed ${seed}, ${fromByte}`);
    assert.deepEqual(await recordingMarks(view), await recordingMarks(oneByOne), `seed ${seed}`);
    assert.ok(parseWav(expected).data.some((byte) => byte > 1));
  } finally {
    spool.remove();
    rmSync(directory, { recursive: true });
  }
}

function assertEqual(found: Buffer, expected: Buffer, what: string): void {
  assert.equal(found.length, expected.length, what);
  assert.ok(found.equals(expected), `${what}, from ${found.findIndex((byte, at) => byte !== expected[at])}`);
}

for (const [trouble, seeds, seconds] of [
  [0, 2, 90],
  [0.1, 12, 90],
  [1, 12, 60],
  [4, 8, 30],
] as const)
  test(`random histories (${trouble}): what is written along, or read at the end, is the same byte for byte`, async () => {
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
    const view = { ...spooled!, records, isWhole: () => track.isWhole };
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
