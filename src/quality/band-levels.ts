import { fullScale } from '../audio/level.ts';
import { RealPower } from './fft.ts';

/** What is analysed is brought to this rate. */
export const analysisRateHz = 8000;
/** One row of levels each 10 ms. */
export const hopSamples = 80;
export const hopsPerSecond = analysisRateHz / hopSamples;
/** 32 ms, Hann window. */
const frameSamples = 256;
const binHz = analysisRateHz / frameSamples;

/** Borders of the bands; the last number of a row is the level of all of them together. */
const bordersHz = [31, 125, 312, 500, 750, 1062, 1469, 2000, 2719, 3719];
export const bandCount = bordersHz.length - 1;
export const rowLength = bandCount + 1;

/** Narrow bands of two bins each, from 109 Hz on, in rows of their own. */
export const fineBandCount = 48;
const firstFineBin = 4;
const fineBins = 2;
export const hopsPerFineRow = 2;
export const fineHopsPerSecond = hopsPerSecond / hopsPerFineRow;

/** Levels are kept in steps of 0.5 dB from -120 dBov up, one byte each. */
export const stepsPerDb = 2;
export const leastDbov = -120;

export interface RowSink {
  /** A row of `rowLength` level steps; the array is reused. */
  row(levels: Uint8Array): void;
  /** Every 20 ms, before the row of the same moment: `fineBandCount` level steps; the array is reused. */
  fineRow(levels: Uint8Array): void;
}

/** What all signals share: they are looked at one frame at a time. */
const power = new RealPower(frameSamples);
const window = Float64Array.from(
  { length: frameSamples },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / frameSamples),
);
const edges = bordersHz.map((hz) => Math.round(hz / binHz));
const windowEnergy = window.reduce((sum, weight) => sum + weight * weight, 0);
/** Both halves of the spectrum, as a share of full scale. */
const scale = 2 / (frameSamples * windowEnergy * fullScale * fullScale);
/** Added to each mean square: that of silence is 0. */
const silence = 1e-13;
const levels = new Uint8Array(rowLength);
const fineLevels = new Uint8Array(fineBandCount);

/** The level of each band, every 10 ms, of the 32 ms before. Neither allocates nor keeps more than one frame. */
export class BandLevels {
  readonly #sink: RowSink;
  readonly #ring = new Int16Array(frameSamples);
  #next = 0;
  #held = 0;
  #hopsToFineRow = 0;

  constructor(sink: RowSink) {
    this.#sink = sink;
  }

  /** What comes now does not follow what came before. */
  restart(): void {
    this.#held = 0;
    this.#hopsToFineRow = 0;
  }

  /** Takes `samples[start..end)` at 8 kHz. */
  push(samples: Int16Array, start: number, end: number): void {
    const ring = this.#ring;
    let next = this.#next;
    let held = this.#held;
    for (let i = start; i < end; i++) {
      ring[next] = samples[i]!;
      next = (next + 1) & (frameSamples - 1);
      held += 1;
      if (held < frameSamples) continue;
      held -= hopSamples;
      this.#analyse(next);
    }
    this.#next = next;
    this.#held = held;
  }

  #analyse(oldest: number): void {
    const { even, odd } = power;
    const ring = this.#ring;
    for (let i = 0; i < frameSamples; i += 2) {
      even[i >> 1] = ring[(oldest + i) & (frameSamples - 1)]! * window[i]!;
      odd[i >> 1] = ring[(oldest + i + 1) & (frameSamples - 1)]! * window[i + 1]!;
    }
    power.transform();
    if (this.#hopsToFineRow === 0) this.#putFineRow();
    this.#hopsToFineRow = (this.#hopsToFineRow + 1) % hopsPerFineRow;
    let whole = 0;
    for (let band = 0; band < bandCount; band++) {
      const energy = power.sum(edges[band]!, edges[band + 1]!);
      whole += energy;
      levels[band] = levelStep(energy * scale);
    }
    levels[bandCount] = levelStep(whole * scale);
    this.#sink.row(levels);
  }

  #putFineRow(): void {
    for (let band = 0; band < fineBandCount; band++) {
      const bin = firstFineBin + fineBins * band;
      fineLevels[band] = levelStep(power.sum(bin, bin + fineBins) * scale);
    }
    this.#sink.fineRow(fineLevels);
  }
}

function levelStepOf(meanSquare: number): number {
  const step = Math.round(stepsPerDb * (10 * Math.log10(meanSquare + silence) - leastDbov));
  return Math.max(0, Math.min(255, step));
}

/** The mean square from which on each step is the nearest. */
const startOfStep = Float64Array.from({ length: 257 }, (_, step) =>
  step > 255 ? Number.POSITIVE_INFINITY : 10 ** ((leastDbov + (step - 0.5) / stepsPerDb) / 10) - silence,
);
const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);
/** The step of the least number with these first 16 bits; that of the greatest is the same or the next. */
const stepOfBits = Uint8Array.from({ length: 2 ** 15 }, (_, first) => {
  singleBits[0] = first << 16;
  return levelStepOf(single[0]!);
});

/** As `levelStepOf`, without a logarithm. */
function levelStep(meanSquare: number): number {
  single[0] = meanSquare;
  const step = stepOfBits[singleBits[0]! >>> 16]!;
  return meanSquare >= startOfStep[step + 1]! ? step + 1 : step;
}
