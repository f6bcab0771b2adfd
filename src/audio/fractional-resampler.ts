import { windowedSinc } from './windowed-sinc.ts';

/** Zero crossings of the sinc on each side, at the lower of the two rates. */
const zeroCrossings = 16;
/** Keeps the stop band 60 dB down. */
const kaiserBeta = 5.7;
/** An output is made for the nearest of so many places between two inputs: 64 dB above the error at 3.4 of 8 kHz. */
const phases = 2048;

interface Kernel {
  /** Inputs on each side that an output depends on. */
  reach: number;
  /** `phases` rows of `2 * reach` taps each. */
  taps: Float32Array;
}

const kernels = new Map<number, Kernel>();

/** @param inputsPerOutput above 1: less than the inputs have can be kept */
function kernelOf(inputsPerOutput: number): Kernel {
  const scale = Math.max(1, inputsPerOutput);
  let kernel = kernels.get(scale);
  if (!kernel) kernels.set(scale, (kernel = buildKernel(scale)));
  return kernel;
}

function buildKernel(scale: number): Kernel {
  // Even, so that the taps of a row can be summed in fours.
  const reach = 2 * Math.ceil((zeroCrossings * scale) / 2);
  const width = 2 * reach;
  const taps = new Float32Array(phases * width);
  const row = new Float64Array(width);
  for (let phase = 0; phase < phases; phase++) {
    for (let tap = 0; tap < width; tap++)
      row[tap] = windowedSinc((phase / phases + reach - 1 - tap) / scale, zeroCrossings, kaiserBeta);
    // Each phase passes a constant unchanged.
    const sum = row.reduce((total, value) => total + value, 0);
    for (let tap = 0; tap < width; tap++) taps[phase * width + tap] = row[tap]! / sum;
  }
  return { reach, taps };
}

/** Inputs that lie evenly on the outputs' axis, one output apart from the next. */
interface Piece {
  fromPosition: number;
  /** From one input to the next. */
  step: number;
  /** Where the first of them is in the buffer. */
  start: number;
}

/**
 * Resamples what lies anywhere on another clock to whole positions of it: each piece of the signal says where it begins
 * and ends there, between samples, so that two clocks of which one drifts stay together. The filter is centred: no
 * delay, and an output depends only on the inputs near it. So any part of a long signal can be made by itself.
 */
export class FractionalResampler {
  /** Inputs on each side that an output depends on; before the first and behind the last there is silence. */
  readonly reachSamples: number;
  readonly #taps: Float32Array;
  #buffer: Float32Array;
  #held: number;
  readonly #pieces: Piece[] = [];
  #position: number;

  /**
   * @param inputsPerOutput about how many; the pieces say it exactly
   * @param fromPosition of the first output
   * @param before what lies just before the first input, as much of it as there is
   */
  constructor(inputsPerOutput: number, fromPosition: number, before: Int16Array = new Int16Array(0)) {
    const { reach, taps } = kernelOf(inputsPerOutput);
    this.reachSamples = reach;
    this.#taps = taps;
    this.#buffer = new Float32Array(64 * reach);
    // An output may lie before the first input by less than one.
    this.#held = reach + 1;
    const known = before.subarray(Math.max(0, before.length - this.#held));
    this.#buffer.set(known, this.#held - known.length);
    this.#position = fromPosition;
  }

  /** Of the next output. */
  get position(): number {
    return this.#position;
  }

  /** Inputs that lie evenly from `fromPosition` up to `toPosition`, the next one's place. */
  push(samples: Int16Array, fromPosition: number, toPosition: number): void {
    if (samples.length === 0) return;
    this.#makeRoom(samples.length);
    const start = this.#held;
    this.#buffer.set(samples, start);
    this.#held += samples.length;
    const step = (toPosition - fromPosition) / samples.length;
    this.#pieces.push({ fromPosition, step, start });
  }

  /** Nothing follows: what is behind the last input is silent. */
  finish(): void {
    this.#makeRoom(this.reachSamples + 1);
    this.#buffer.fill(0, this.#held, (this.#held += this.reachSamples + 1));
  }

  /**
   * The outputs before `toPosition` for which all inputs are there.
   * @returns how many were written to `out`
   */
  read(toPosition: number, out: Int16Array): number {
    let written = 0;
    for (; this.#position < toPosition && written < out.length; this.#position++) {
      const piece = this.#pieceOf(this.#position);
      if (!piece) break;
      const at = (this.#position - piece.fromPosition) / piece.step;
      let input = Math.floor(at);
      let phase = Math.round((at - input) * phases);
      if (phase === phases) {
        input++;
        phase = 0;
      }
      const centre = piece.start + input;
      if (centre + this.reachSamples >= this.#held) break;
      out[written++] = this.#output(Math.max(this.reachSamples - 1, centre), phase);
    }
    return written;
  }

  #output(centre: number, phase: number): number {
    const taps = this.#taps;
    const buffer = this.#buffer;
    const width = 2 * this.reachSamples;
    const row = phase * width;
    const start = centre - this.reachSamples + 1;
    // Four sums side by side: one alone would wait for each addition before the next.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let tap = 0; tap < width; tap += 4) {
      a += taps[row + tap]! * buffer[start + tap]!;
      b += taps[row + tap + 1]! * buffer[start + tap + 1]!;
      c += taps[row + tap + 2]! * buffer[start + tap + 2]!;
      d += taps[row + tap + 3]! * buffer[start + tap + 3]!;
    }
    const sum = a + b + (c + d);
    return sum >= 32_767 ? 32_767 : sum <= -32_768 ? -32_768 : Math.round(sum);
  }

  /** The last that begins at or before the position; the first for what is before all. */
  #pieceOf(position: number): Piece | undefined {
    while (this.#pieces[1] && this.#pieces[1].fromPosition <= position) this.#pieces.shift();
    return this.#pieces[0];
  }

  /** Behind what is held, dropping what no output needs any more. */
  #makeRoom(samples: number): void {
    if (this.#held + samples <= this.#buffer.length) return;
    const piece = this.#pieceOf(this.#position);
    const next = piece ? piece.start + Math.floor((this.#position - piece.fromPosition) / piece.step) : 0;
    const stale = Math.max(0, Math.min(next, this.#held) - this.reachSamples - 1);
    const kept = this.#buffer.subarray(stale, this.#held);
    if (kept.length + samples > this.#buffer.length) {
      const larger = new Float32Array(2 * (kept.length + samples));
      larger.set(kept);
      this.#buffer = larger;
    } else this.#buffer.copyWithin(0, stale, this.#held);
    this.#held -= stale;
    for (const each of this.#pieces) each.start -= stale;
  }
}
