import assert from 'node:assert/strict';
import { toneLevelDbov, toneRatioDb } from '../../src/testkit/tone-level.ts';

const rateHz = 8000;
/** Of what tests play. */
const toneDbov = -15;
const clearestMs = 1000;
const stepMs = 250;

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

/**
 * The second in which a tone is purest. For what a phone heard live: where a machine that does everything at once stood
 * still for a moment, the phone filled a gap; what it heard before and after must be right all the same. Never for
 * recordings.
 */
export function clearestSecond(samples: Int16Array, frequencyHz: number): Int16Array {
  const length = (clearestMs * rateHz) / 1000;
  let clearest = samples.subarray(0, length);
  let purestDb = Number.NEGATIVE_INFINITY;
  for (let at = 0; at + length <= samples.length; at += (stepMs * rateHz) / 1000) {
    const stretch = samples.subarray(at, at + length);
    const purityDb = toneLevelDbov(stretch, rateHz, frequencyHz) - levelDbov(stretch);
    // Of silence it is no number.
    if (!(purityDb > purestDb)) continue;
    purestDb = purityDb;
    clearest = stretch;
  }
  return clearest;
}

function levelDbov(samples: Int16Array): number {
  const energy = samples.reduce((sum, sample) => sum + sample * sample, 0);
  return 10 * Math.log10(energy / samples.length / 32_768 ** 2);
}

/** Of what a phone heard live, the clearest second of a longer middle. */
export function clearMiddle(samples: Int16Array, frequencyHz: number): Int16Array {
  const { length } = samples;
  return clearestSecond(samples.subarray(Math.floor(length * 0.35), Math.floor(length * 0.9)), frequencyHz);
}
