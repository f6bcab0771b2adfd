import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SpoolRecord } from '../spool/records.ts';
import { maxRecordingMarks, recordingMarks } from './recording-marks.ts';
import { frame, testNoise, testStream, testTrack, testView } from './test-track.ts';

const endSample = 10 * 8000;

/** A loss, a loss too long to conceal, a key, an overflow and a hold with frozen RTP time. */
function eventful(): SpoolRecord[] {
  const isLost = (k: number): boolean => k === 50 || (k >= 100 && k < 110);
  const holdUs = (k: number): number => (k >= 200 ? 2_000_000 : 0);
  const arrivalUs = (k: number): number | undefined => (isLost(k) ? undefined : k * 20_000 + holdUs(k));
  const { records } = testStream(testNoise(300 * frame, 9000), { arrivalUs });
  const told: SpoolRecord[] = [
    { kind: 'digit', digit: '5', rtpTime: 0, arrivalUs: 3_000_000 },
    { kind: 'overflow', packets: 3, arrivalUs: 3_500_000 },
    { kind: 'hold', held: true, arrivalUs: 4_050_000 },
    { kind: 'hold', held: false, arrivalUs: 5_900_000 },
  ];
  return [...records.slice(0, 150), ...told, ...records.slice(150)];
}

function changing(): SpoolRecord[] {
  const { records } = testStream(testNoise(60 * frame, 9000), { ssrc: 7 });
  const again = testStream(testNoise(60 * frame, 9000), {
    ...{ codec: 'PCMA', ssrc: 7, firstSequence: 65_560, firstTime: (0xffff_f000 + 60 * frame) >>> 0 },
    arrivalUs: (k) => 1_200_000 + k * 20_000,
  });
  return [...records, ...again.records];
}

const tracks = [
  testTrack('a', eventful()),
  testTrack('b', changing(), { startSample: 0, endSample: 120 * frame }),
];
const pauses = [{ fromSample: 64_000, toSample: 72_000, behaviour: 'skip' }] as const;

test('what happened to the parties and to the recording, in order, on both axes', async () => {
  const view = testView(tracks, { endSample, pauses: [...pauses] });
  const { marks, isTruncated } = await recordingMarks(view);
  assert.equal(isTruncated, false);
  const [a, b] = [{ trackId: 'a' }, { trackId: 'b' }];
  const expected = [
    { kind: 'join', atSample: 0, ...a },
    { kind: 'join', atSample: 0, ...b },
    { kind: 'gap', cause: 'loss', atSample: 50 * frame, samples: frame, ...a },
    { kind: 'concealed', atSample: 50 * frame, samples: frame, ...a },
    { kind: 'codec-change', atSample: 60 * frame, codec: 'PCMA', clockRateHz: 8000, ...b },
    { kind: 'gap', cause: 'loss', atSample: 100 * frame, samples: 10 * frame, ...a },
    { kind: 'leave', atSample: 120 * frame, ...b },
    { kind: 'dtmf', atSample: 24_000, digit: '5', ...a },
    { kind: 'overflow', atSample: 28_000, packets: 3, ...a },
    { kind: 'hold', atSample: 32_400, samples: 14_800, ...a },
    { kind: 'jump', atSample: 300 * frame, samples: 100 * frame, ...a },
    { kind: 'pause', atSample: 64_000, samples: 8000, behaviour: 'skip' },
  ];
  assert.deepEqual(
    marks,
    expected.map((mark) => ({ ...mark, fileSample: mark.atSample })),
  );
});

test('what lies outside of the recording is left out, and a part that was cut out moves what is behind it', async () => {
  const early = [{ fromSample: 4000, toSample: 12_000, behaviour: 'skip' }] as const;
  const view = testView(tracks, {
    ...{ startSample: 2000, endSample: 30_000, pauses: [...early], lossConcealment: 'off' },
  });
  const { marks } = await recordingMarks(view);
  assert.deepEqual(
    marks.map(({ kind, fileSample }) => [kind, fileSample]),
    [
      ['join', 0],
      ['join', 0],
      ['pause', 2000],
      ['gap', 2000],
      ['codec-change', 2000],
      ['gap', 6000],
      ['leave', 9200],
      ['dtmf', 14_000],
      ['overflow', 18_000],
    ],
  );
});

test('of a stream that loses every second packet, the first marks', async () => {
  const { records } = testStream(testNoise(22_000 * frame, 9000), {
    arrivalUs: (k) => (k % 2 ? undefined : k * 20_000),
  });
  const view = testView([testTrack('a', records)], { endSample: 22_000 * frame });
  const { marks, isTruncated } = await recordingMarks(view);
  assert.equal(marks.length, maxRecordingMarks);
  assert.equal(isTruncated, true);
});
