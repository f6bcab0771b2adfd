import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from '../timeline/test-random.ts';
import { RecordedTrack } from './recorded-track.ts';

const frame = 160;

for (const stallFrames of [20, 60, 400])
  test(`behind a stall of ${stallFrames * 20} ms who listens hears what is said now, the recording what was`, () => {
    const track = new RecordedTrack({ trackId: 't', startSample: 0 }, 8000, { hear: () => undefined });
    track.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 1 });
    const stallEnd = 50 + stallFrames;
    for (let k = 0; k < stallEnd + 100; k++) {
      const arrivalFrames = k < 50 ? k : Math.max(k, stallEnd);
      const live = track.place(k, k * frame, arrivalFrames * 20_000, frame);
      if (k > stallEnd)
        assert.ok(Math.abs(live!.atSample / frame - k) <= 13, `${k}: ${live!.atSample / frame}`);
    }
    assert.equal(track.mediaEndSample, (stallEnd + 100) * frame);
  });

test('a stall that the party did not outlast makes the track no longer', () => {
  for (const stallMs of [500, 5000]) {
    const track = new RecordedTrack({ trackId: 't', startSample: 0 }, 8000);
    track.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 1 });
    for (let k = 0; k < 56; k++) {
      const arrivalMs = k < 50 ? k * 20 + (k % 4) * 25 : 1000 + stallMs + (k - 50) / 3;
      track.place(k, k * frame, arrivalMs * 1000, frame);
    }
    assert.equal(track.mediaEndSample, 56 * frame, `${stallMs} ms`);
  }
});

test('what was heard of a stream whose first packets came late is known to lie earlier', () => {
  const lateMs = 100;
  const track = new RecordedTrack({ trackId: 't', startSample: 0 }, 8000, { hear: () => undefined });
  track.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 1 });
  const heard: number[] = [];
  for (let k = 0; k < 100; k++) {
    const arrivalMs = 500 + k * 20 + Math.max(0, lateMs - k * 15);
    heard.push(track.place(k, k * frame, arrivalMs * 1000, frame)?.atSample ?? -1);
  }
  for (const k of [0, 3, 50, 99])
    assert.equal(heard[k]! - track.earlierBy(heard[k]!), 4000 + k * frame, `${k}`);
});

test('packets that go on with each other lie where they lie one by one', () => {
  const random = randomOf(3);
  for (let history = 0; history < 40; history++) {
    const [single, atOnce] = [0, 1].map(() => new RecordedTrack({ trackId: 't', startSample: 0 }, 8000));
    for (const track of [single!, atOnce!]) track.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 1 });
    let k = 0;
    for (let round = 0; round < 40; round++) {
      const count = 1 + Math.floor(random() * 64);
      if (random() < 0.1) k += Math.floor(random() * 5) - 1;
      const stallUs = random() < 0.05 ? random() * 3_000_000 : 0;
      const first = k;
      const lateUs = Array.from({ length: count }, () => Math.floor(stallUs + random() * 30_000));
      const arrivalUs = (index: number) => (1 + first + index) * 20_000 + lateUs[index]!;
      const series = {
        count,
        sequenceNumber: (65_000 + first) & 0xffff,
        rtpTime: (4_294_900_000 + first * frame) >>> 0,
        payloadBytes: frame,
        arrivalUs,
      };
      for (let i = 0; i < count; i++, k++)
        single!.place((65_000 + k) & 0xffff, (4_294_900_000 + k * frame) >>> 0, arrivalUs(i), frame);
      atOnce!.placeSeries(series);
      if (random() < 0.2) assert.equal(atOnce!.placedTo, single!.placedTo, `round ${round} of ${history}`);
    }
    const ends = [single!, atOnce!].map(({ packets, mediaEndSample }) => [packets, mediaEndSample]);
    assert.deepEqual(ends[1], ends[0], `history ${history}`);
  }
});
