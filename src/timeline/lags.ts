import { lagPackets } from './bounds.ts';

/** Arrival less position of the packets placed last, in samples. */
export class Lags {
  /** A plain array: of so few numbers another kind is twice as much memory. */
  readonly #lags: number[] = new Array(lagPackets).fill(Number.NaN);
  #count = 0;

  /** Of the packet placed last; undefined before the first. */
  get latest(): number | undefined {
    return this.#count === 0 ? undefined : this.#lags[(this.#count - 1) % lagPackets];
  }

  /** In no order; valid until the next is added. */
  get known(): readonly number[] {
    return this.#count < lagPackets ? this.#lags.slice(0, this.#count) : this.#lags;
  }

  add(lag: number): void {
    this.#lags[this.#count % lagPackets] = lag;
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }
}
