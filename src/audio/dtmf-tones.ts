import { tone } from './tone.ts';

/** ITU-T Q.23. */
const rowsHz = [697, 770, 852, 941] as const;
const columnsHz = [1209, 1336, 1477, 1633] as const;
const keys = ['123A', '456B', '789C', '*0#D'] as const;
const levelDbov = -14;

export interface DtmfTiming {
  durationMs: number;
  /** Behind each key. */
  gapMs: number;
  /** Of a `w`. */
  pauseMs: number;
}

/** Keys as they sound, for a party that takes no telephone-events: `0`-`9`, `*`, `#`, `A`-`D`, `w` for a pause. */
export function dtmfTones(
  digits: string,
  rateHz: number,
  { durationMs, gapMs, pauseMs }: DtmfTiming,
): Int16Array {
  const samplesOf = (ms: number) => Math.round((ms * rateHz) / 1000);
  const pauses = digits.length - digits.replaceAll('w', '').length;
  const out = new Int16Array(
    (digits.length - pauses) * samplesOf(durationMs + gapMs) + pauses * samplesOf(pauseMs),
  );
  let at = 0;
  for (const digit of digits) {
    const row = keys.findIndex((line) => line.includes(digit));
    if (row >= 0) {
      const column = keys[row]!.indexOf(digit);
      const [low, high] = [rowsHz[row]!, columnsHz[column]!].map((frequencyHz) =>
        tone({ rateHz, frequencyHz, levelDbov }, samplesOf(durationMs)),
      ) as [Int16Array, Int16Array];
      for (const [i, sample] of low.entries()) out[at + i] = sample + high[i]!;
    }
    at += digit === 'w' ? samplesOf(pauseMs) : samplesOf(durationMs + gapMs);
  }
  return out;
}
