import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpoolRecord } from '../spool/records.ts';
import { settledEnd, settledMixEnd } from './growth.ts';
import { MixReader } from './mix.ts';
import { frame, readAll, testNoise, testStream, testTrack, testView } from './test-track.ts';

const jitterUs = testNoise(2000, 30_000, 5);
const bothInTime = [4, 8].map((seed) =>
  testStream(testNoise(1000 * frame, 25_000, seed), {
    ssrc: seed,
    arrivalUs: (k) => (k % 31 === 7 ? undefined : 900_000 + k * 20_000 + Math.abs(jitterUs[k]!) * 10),
  }),
);

function arrivedBy(records: SpoolRecord[], timeUs: number): SpoolRecord[] {
  return records.filter(
    (record) => record.kind === 'format' || ('arrivalUs' in record && record.arrivalUs <= timeUs),
  );
}

const stalled = testStream(testNoise(1000 * frame, 25_000, 8), {
  ssrc: 8,
  arrivalUs: (k) => 900_000 + Math.max(k * 20_000, k >= 300 ? 11_500_000 : 0),
});

for (const [name, streams] of Object.entries({
  'even if one track is behind in the spool': bothInTime,
  'even if the packets of 5.5 s come all at once': [bothInTime[0]!, stalled],
}))
  test(`what was rendered while it grew never changes afterwards, ${name}`, () => {
    const samples = 1100 * frame;
    const ended = testView(
      streams.map(({ records }, k) => testTrack(`${k}`, records, { endSample: samples })),
      { endSample: samples },
    );
    const whole = readAll(new MixReader(ended, samples, 0), samples);
    let last = 0;
    for (let timeUs = 0; timeUs < 21_000_000; timeUs += 700_000) {
      const tracks = streams.map(({ records }, k) =>
        testTrack(`${k}`, arrivedBy(records, timeUs - k * 300_000)),
      );
      const growing = testView(tracks);
      const end = settledEnd(growing);
      assert.ok(end >= last, 'it never shrinks');
      last = end;
      const mixEnd = settledMixEnd(growing, end);
      assert.deepEqual(readAll(new MixReader(growing, end, 0), mixEnd), whole.subarray(0, mixEnd));
    }
    assert.ok(last > samples - 8000 * 6, `${last} of ${samples}: it follows within seconds`);
  });

test('a party that sends nothing does not stop it', () => {
  const growing = testView([testTrack('a', bothInTime[0]!.records), testTrack('mute', [])]);
  const end = settledEnd(growing);
  assert.ok(end > 8000 * 15, `${end}`);
});

test('without any packet there is nothing yet', () => {
  assert.equal(settledEnd(testView([testTrack('mute', [])], { startSample: 77 })), 77);
  assert.equal(settledEnd(testView([], { startSample: 77 })), 77);
});
