import { lagPackets } from './bounds.ts';

/** Arrival less position of the packets placed last, in samples. */
export class Lags {
  readonly #lags = new Float64Array(lagPackets);
  #count = 0;

  /** Of the packet placed last; undefined before the first. */
  get latest(): number | undefined {
    return this.#count === 0 ? undefined : this.#lags[(this.#count - 1) % lagPackets];
  }

  /** In no order; valid until the next is added. */
  get known(): Float64Array {
    return this.#lags.subarray(0, Math.min(this.#count, lagPackets));
  }

  add(lag: number): void {
    this.#lags[this.#count % lagPackets] = lag;
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }
}
