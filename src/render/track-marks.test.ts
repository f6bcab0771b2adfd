import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SpoolRecord } from '../spool/records.ts';
import { trackMarks } from './track-marks.ts';
import type { TrackView } from './track-source.ts';

const second = 1_000_000;
const digit = (key: string, arrivalUs: number): SpoolRecord => ({
  ...{ kind: 'digit', digit: key, rtpTime: 0, arrivalUs },
});
const hold = (held: boolean, arrivalUs: number): SpoolRecord => ({ kind: 'hold', held, arrivalUs });
const track = (trackId: string, records: SpoolRecord[], endSample?: number): TrackView => ({
  ...{ trackId, startSample: 0, endSample, side: 'said' },
  records: () => records,
});
const marksOf = (tracks: TrackView[], endSample: number | undefined = 80_000) =>
  trackMarks({ rateHz: 8000, startSample: 8000, endSample, tracks, pauses: [] }).map(
    ({ kind, trackId, fromSample, toSample, ...rest }) =>
      `${trackId} ${kind}${'digit' in rest ? ` ${rest.digit}` : ''} ${fromSample}-${toSample}`,
  );

describe('trackMarks', () => {
  test('keys and holds of all tracks, by time', () => {
    const ann = track('ann', [digit('5', 4 * second), hold(true, 5 * second), hold(false, 6 * second)]);
    const bob = track('bob', [digit('#', 2 * second), hold(true, 2.5 * second), hold(false, 3 * second)]);
    assert.deepEqual(marksOf([ann, bob]), [
      'bob dtmf # 16000-16000',
      'bob hold 20000-24000',
      'ann dtmf 5 32000-32000',
      'ann hold 40000-48000',
    ]);
  });

  test('a hold that is told again goes on, one without an end lasts as long as its track', () => {
    const again = [hold(false, 0), hold(true, 2 * second), hold(true, 3 * second), hold(false, 4 * second)];
    assert.deepEqual(marksOf([track('a', again)]), ['a hold 16000-32000']);
    assert.deepEqual(marksOf([track('a', [hold(true, 2 * second)], 24_000)]), ['a hold 16000-24000']);
    assert.deepEqual(marksOf([track('a', [hold(true, 2 * second)])]), ['a hold 16000-80000']);
  });

  test('what lies outside of the recording is cut off', () => {
    const before = track('a', [digit('1', second / 2), hold(true, 0), hold(false, 2 * second)]);
    const behind = track('b', [digit('2', 11 * second), hold(true, 9 * second)]);
    assert.deepEqual(marksOf([before, behind]), ['a hold 8000-16000', 'b hold 72000-80000']);
  });

  test('of a stream that is nothing but marks so many and no more', () => {
    const flood = track(
      'a',
      Array.from({ length: 10_050 }, (_, at) => digit('1', 2 * second + at)),
    );
    assert.equal(marksOf([flood]).length, 10_000);
  });
});
