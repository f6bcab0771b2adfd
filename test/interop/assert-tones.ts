import assert from 'node:assert/strict';
import { toneLevelDbov, toneRatioDb } from '../../src/testkit/tone-level.ts';

const rateHz = 8000;
/** Of what tests play. */
const toneDbov = -15;

/** Each tone is there at its level, and the absent ones are so far below it. */
export function assertTones(
  samples: Int16Array,
  present: readonly number[],
  absent: readonly number[],
  who: string,
  { absentBelowDb = 60, expectedDbov = toneDbov } = {},
): void {
  for (const frequencyHz of present) {
    const levelDbov = toneLevelDbov(samples, rateHz, frequencyHz);
    assert.ok(
      Math.abs(levelDbov - expectedDbov) < 2,
      `${who}: ${frequencyHz} Hz at ${levelDbov.toFixed(1)} dBov`,
    );
    for (const otherHz of absent) {
      const ratioDb = toneRatioDb(samples, rateHz, frequencyHz, otherHz);
      assert.ok(
        ratioDb > absentBelowDb,
        `${who}: ${otherHz} Hz only ${ratioDb.toFixed(1)} dB below ${frequencyHz} Hz`,
      );
    }
  }
}

/** Where whoever came late is there already, and nobody has left. */
export function middle(samples: Int16Array): Int16Array {
  return samples.subarray(Math.floor(samples.length * 0.4), Math.floor(samples.length * 0.7));
}
