import { ToneGenerator } from './tone.ts';

/** Frequencies that sound together, and how long there is sound and silence in turn, in ms. */
interface Cadence {
  frequenciesHz: readonly number[];
  spansMs: readonly number[];
}

const double = [400, 200, 400, 2000];
const british: Cadence = { frequenciesHz: [400, 450], spansMs: double };
const american: Cadence = { frequenciesHz: [440, 480], spansMs: [2000, 4000] };
const continental = (onMs: number, offMs: number, frequencyHz = 425): Cadence => ({
  frequenciesHz: [frequencyHz],
  spansMs: [onMs, offMs],
});

/**
 * By country (ISO 3166). ITU-T E.180 supplement 2; where that has a carrier and a modulation, the two side tones of it.
 */
const cadences: Readonly<Record<string, Cadence>> = {
  us: american,
  ca: american,
  gb: british,
  ie: british,
  nz: british,
  au: british,
  hk: { frequenciesHz: [440, 480], spansMs: [400, 200, 400, 3000] },
  sg: { frequenciesHz: [401, 449], spansMs: double },
  my: { frequenciesHz: [425], spansMs: double },
  in: { frequenciesHz: [375, 425], spansMs: double },
  za: { frequenciesHz: [367, 433], spansMs: double },
  de: continental(1000, 4000),
  at: continental(1000, 5000, 420),
  ch: continental(1000, 4000),
  fr: continental(1500, 3500, 440),
  it: continental(1000, 4000),
  es: continental(1500, 3000),
  pt: continental(1000, 5000),
  nl: continental(1000, 4000),
  be: continental(1000, 3000),
  dk: continental(1000, 4000),
  se: continental(1000, 5000),
  no: continental(1000, 4000),
  fi: continental(1000, 4000),
  pl: continental(1000, 4000),
  cz: continental(1000, 4000),
  sk: continental(1000, 4000),
  hu: continental(1250, 3750),
  gr: continental(1000, 4000),
  bg: continental(1000, 4000),
  ee: continental(1000, 4000),
  lt: continental(1000, 4000),
  si: continental(1000, 4000),
  ru: continental(1000, 4000),
  tr: continental(2000, 4000, 450),
  il: continental(1000, 3000, 400),
  br: continental(1000, 4000),
  mx: continental(1000, 4000),
  ar: continental(1000, 4500),
  cl: continental(1000, 3000, 400),
  ve: continental(1000, 4000),
  cr: continental(1200, 4900, 450),
  cn: continental(1000, 4000, 450),
  th: continental(1000, 4000, 400),
  jp: { frequenciesHz: [384, 416], spansMs: [1000, 2000] },
  kr: { frequenciesHz: [440, 480], spansMs: [1000, 2000] },
  tw: { frequenciesHz: [440, 480], spansMs: [1000, 2000] },
  ph: { frequenciesHz: [425, 480], spansMs: [1000, 4000] },
};

/** Of all tones of it together. */
const levelDbov = -20;
const made = new Map<string, Int16Array>();

/**
 * One period of what a caller hears while it rings: tone first, silence last. Shared: never write to it.
 * @param country ISO 3166, lower case; one that is not listed rings as in `us`
 */
export function ringingCadence(country: string, rateHz: 8000 | 16_000 | 48_000): Int16Array {
  const known = Object.hasOwn(cadences, country) ? country : 'us';
  const key = `${known} ${rateHz}`;
  const kept = made.get(key);
  if (kept) return kept;
  const period = periodOf(cadences[known] ?? american, rateHz);
  made.set(key, period);
  return period;
}

function periodOf({ frequenciesHz, spansMs }: Cadence, rateHz: number): Int16Array {
  const samplesOf = (ms: number) => Math.round((ms * rateHz) / 1000);
  const out = new Int16Array(spansMs.reduce((sum, ms) => sum + samplesOf(ms), 0));
  const shareDb = 10 * Math.log10(frequenciesHz.length);
  for (const frequencyHz of frequenciesHz) {
    const generator = new ToneGenerator({ rateHz, frequencyHz, levelDbov: levelDbov - shareDb });
    let at = 0;
    for (const [index, ms] of spansMs.entries()) {
      const count = samplesOf(ms);
      if (index % 2 === 0) {
        const part = new Int16Array(count);
        generator.position = at;
        generator.write(part);
        for (let i = 0; i < count; i++) out[at + i]! += part[i]!;
      }
      at += count;
    }
  }
  return out;
}
