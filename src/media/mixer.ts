import { type LawTables, undecidedBits } from '../codec/g711.ts';

/**
 * Sums the frames of one slot and gives each party everybody but itself (mix-minus). Sums are 32 bit and saturate
 * only on the way out, so that subtracting a party's own samples is exact however loud the room is.
 */
export class Mixer {
  readonly #frameSamples: number;
  /** Made for the first frame: where all is relayed there is none. */
  #sum = new Int32Array(0);
  #speakers = 0;

  constructor(frameSamples: number) {
    this.#frameSamples = frameSamples;
  }

  /** How many frames this slot's sum holds. */
  get speakers(): number {
    return this.#speakers;
  }

  clear(): void {
    if (this.#speakers > 0) this.#sum.fill(0);
    this.#speakers = 0;
  }

  add(frame: Int16Array): void {
    if (this.#sum.length === 0) this.#sum = new Int32Array(this.#frameSamples);
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + frame[i]!;
    this.#speakers++;
  }

  /** As `add`, of what the bytes from `at` on are decoded to. */
  addDecoded(toLinear: Int16Array, bytes: Uint8Array, at: number): void {
    if (this.#sum.length === 0) this.#sum = new Int32Array(this.#frameSamples);
    addDecoded(this.#sum, this.#frameSamples, toLinear, bytes, at);
    this.#speakers++;
  }

  /** The mix for a party that added nothing to this slot. */
  all(out: Int16Array): void {
    const sum = this.#sum;
    if (sum.length === 0) out.fill(0);
    for (let i = 0; i < sum.length; i++) out[i] = saturate(sum[i]!);
  }

  /** The mix for the party that added `own`; `own` and `out` may be the same array. */
  minus(own: Int16Array, out: Int16Array): void {
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) out[i] = saturate(sum[i]! - own[i]!);
  }

  /** As `minus`, encoded, for the party that `addDecoded` the bytes from `at` on. */
  minusEncoded(
    { toLinear }: LawTables,
    bytes: Uint8Array,
    at: number,
    { fromLinear }: LawTables,
    out: Uint8Array,
    outAt: number,
  ): void {
    minusEncoded(this.#sum, this.#frameSamples, toLinear, bytes, at, fromLinear, out, outAt);
  }
}

/** By itself it is compiled to half of what it takes in the class. */
function addDecoded(
  sum: Int32Array,
  samples: number,
  toLinear: Int16Array,
  bytes: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < samples; i++) sum[i] = sum[i]! + toLinear[bytes[at + i]!]!;
}

/** Whether any sample is too loud is asked once, as few frames have one: of each it would be half of the work. */
function minusEncoded(
  sum: Int32Array,
  samples: number,
  toLinear: Int16Array,
  bytes: Uint8Array,
  at: number,
  fromLinear: Uint8Array,
  out: Uint8Array,
  outAt: number,
): void {
  let beyond = 0;
  for (let i = 0; i < samples; i++) {
    const sample = sum[i]! - toLinear[bytes[at + i]!]!;
    beyond |= sample + 32_768;
    out[outAt + i] = fromLinear[(sample & 0xffff) >> undecidedBits]!;
  }
  if (beyond >>> 16 === 0) return;
  for (let i = 0; i < samples; i++) {
    const sample = saturate(sum[i]! - toLinear[bytes[at + i]!]!);
    out[outAt + i] = fromLinear[(sample & 0xffff) >> undecidedBits]!;
  }
}

function saturate(sample: number): number {
  return Math.max(-32768, Math.min(32767, sample));
}
