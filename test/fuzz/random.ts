/** Repeatable random numbers (xorshift128): the same seed gives the same inputs on every machine. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed >>> 0, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    for (let i = 0; i < 16; i++) this.#next();
  }

  /** 0 to `limit` - 1; 0 where there is nothing to choose from. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.#next() % limit;
  }

  /** Once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** 1 to `limit`, small ones more often: each doubling is as likely as the one before. */
  size(limit: number): number {
    const bits = this.below(Math.floor(Math.log2(Math.max(limit, 1))) + 1);
    return Math.min(limit, 1 + this.below(2 ** (bits + 1)));
  }

  #next(): number {
    const state = this.#state;
    let t = state[3]!;
    t ^= t << 11;
    t ^= t >>> 8;
    state[3] = state[2]!;
    state[2] = state[1]!;
    const s = (state[1] = state[0]!);
    return (state[0] = t ^ s ^ (s >>> 19)) >>> 0;
  }
}
