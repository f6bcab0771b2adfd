/**
 * Music for those who wait, made here and nobody's: short rounds of plucked notes over held chords, which can be
 * heard over and over. Within what a telephone carries.
 */
interface Tune {
  beatMs: number;
  /** Per beat, in semitones over A4 (440 Hz); null: no new note. */
  melody: readonly (number | null)[];
  /** Per four beats, the notes that are held, likewise. */
  chords: readonly (readonly number[])[];
}

export type TuneNumber = 1 | 2 | 3;

const [major, minor] = [
  [0, 4, 7],
  [0, 3, 7],
] as const;
const on = (root: number, chord: readonly number[]) => chord.map((semitones) => root + semitones);

const tunes: Readonly<Record<TuneNumber, Tune>> = {
  1: {
    beatMs: 375,
    melody: [
      ...[3, 7, 10, 15, 14, 10, 7, null, 0, 3, 7, 12, 10, 7, 3, null],
      ...[8, 12, 15, 12, 10, 8, 7, null, 5, 10, 14, 10, 7, 5, 2, null],
    ],
    chords: [
      on(-9, major),
      on(-9, major),
      on(-12, minor),
      on(-12, minor),
      on(-4, major),
      on(-4, major),
      on(-2, major),
      on(-2, major),
    ],
  },
  2: {
    beatMs: 500,
    melody: [
      ...[0, null, 3, 7, 5, null, 3, null, 2, null, 5, 8, 7, null, null, null],
      ...[3, null, 7, 10, 8, null, 7, null, 5, 3, 2, 3, 0, null, null, null],
    ],
    chords: [
      on(-12, minor),
      on(-7, minor),
      on(-10, [0, 3, 6]),
      on(-5, major),
      on(-9, major),
      on(-4, major),
      on(-5, major),
      on(-12, minor),
    ],
  },
  3: {
    beatMs: 300,
    melody: [
      ...[5, 9, 12, 9, 14, 12, 9, 5, 7, 10, 14, 10, 16, 14, 10, 7],
      ...[5, 9, 12, 17, 16, 12, 9, 12, 10, 7, 4, 7, 5, null, null, null],
    ],
    chords: [
      on(-7, major),
      on(-7, major),
      on(-5, minor),
      on(-5, minor),
      on(-7, major),
      on(-7, major),
      on(0, [-5, -2, 1]),
      on(-7, major),
    ],
  },
};

const noteHz = (semitones: number) => 440 * 2 ** (semitones / 12);
const [melodyPeak, chordPeak] = [5000, 900];
/** A note dies away to a third in so long, and sounds for at most so many of these. */
const decaySeconds = 0.45;
const decays = 5;
const attackSeconds = 0.008;
const made = new Map<string, Int16Array>();

/** One round, of between 9 and 16 s; it begins where it ends. Shared: never write to it. */
export function tuneRound(tune: TuneNumber, rateHz: 8000 | 16_000 | 48_000): Int16Array {
  const key = `${tune} ${rateHz}`;
  const kept = made.get(key);
  if (kept) return kept;
  const round = played(tunes[tune], rateHz);
  made.set(key, round);
  return round;
}

function played({ beatMs, melody, chords }: Tune, rateHz: number): Int16Array {
  const beatSamples = (beatMs * rateHz) / 1000;
  const sum = new Float64Array(melody.length * beatSamples);
  for (const [beat, semitones] of melody.entries())
    if (semitones !== null) pluck(sum, beat * beatSamples, noteHz(semitones), rateHz);
  for (const [index, chord] of chords.entries())
    for (const semitones of chord)
      hold(sum, index * 4 * beatSamples, 4 * beatSamples, noteHz(semitones), rateHz);
  return Int16Array.from(sum, Math.round);
}

/** Its end sounds into the beginning of the next round. */
function pluck(sum: Float64Array, from: number, hz: number, rateHz: number): void {
  const samples = Math.round(decays * decaySeconds * rateHz);
  for (let at = 0; at < samples; at++) {
    const seconds = at / rateHz;
    const loud = Math.min(1, seconds / attackSeconds) * Math.exp(-seconds / decaySeconds);
    const turn = 2 * Math.PI * hz * seconds;
    const index = (from + at) % sum.length;
    sum[index] = sum[index]! + melodyPeak * loud * (Math.sin(turn) + 0.3 * Math.sin(2 * turn));
  }
}

/** Swells and fades, so that no chord begins with a click. */
function hold(sum: Float64Array, from: number, samples: number, hz: number, rateHz: number): void {
  for (let at = 0; at < samples; at++)
    sum[from + at] =
      sum[from + at]! +
      chordPeak * Math.sin((Math.PI * at) / samples) * Math.sin((2 * Math.PI * hz * at) / rateHz);
}
