import type { SampleReader } from './track-source.ts';

/** Opens a side's samples at `fromSample` on the room's clock; behind `endSample` it is silent. */
export type OpenSide = (fromSample: number, endSample: number) => SampleReader & { close(): void };

/** What a party says, and what it hears. A side that there is not is silent. */
export interface StereoSides {
  left?: OpenSide;
  right?: OpenSide;
}

/** Two signals side by side on the room's clock, interleaved. */
export class StereoReader implements SampleReader {
  readonly #sides: readonly (ReturnType<OpenSide> | undefined)[];
  #samples = new Int16Array(0);

  constructor({ left, right }: StereoSides, endSample: number, fromSample: number) {
    this.#sides = [left?.(fromSample, endSample), right?.(fromSample, endSample)];
  }

  /** @param out interleaved */
  read(out: Int16Array): void {
    const length = out.length / 2;
    if (this.#samples.length < length) this.#samples = new Int16Array(length);
    const samples = this.#samples.subarray(0, length);
    out.fill(0);
    for (const [side, reader] of this.#sides.entries()) {
      if (!reader) continue;
      reader.read(samples);
      for (let k = 0; k < length; k += 1) out[2 * k + side] = samples[k]!;
    }
  }

  close(): void {
    for (const reader of this.#sides) reader?.close();
  }
}
