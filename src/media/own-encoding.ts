import type { Encoder } from '../codec/codec.ts';
import { type AudioRateHz, audioRateHzOf, encoderFor, isStateless } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';
import { encodingCount } from './encoding-count.ts';
import type { SharedEncoding } from './shared-encodings.ts';

/** Two encoders that said the same for so long are in one state, as far as can be heard: their memory fades. */
const settledSlots = 10;
/** A codec whose encoders never say the same: for so long they have the same samples before one stands for another. */
const alikeSlotsAtLeast = 25;
/** So many slots in a row are quiet. */
const quietSlotsAtLeast = 3;
/** What is quiet against the loudest of them at first, and by how much that grows with time. */
const quietAtFirstDb = -42;
const quietDbPerSlot = 3 / 50;
/** Nobody hears it. */
const silentPeak = 8;

/**
 * What one leg is encoded by, and its way into an encoding that others share and out of it. A listener's decoder goes on
 * from what it was sent: so whoever leaves a shared encoding takes the encoder's state along, and whoever comes to one
 * waits until its own encoder says the same, or, where that never happens (Opus), for a slot that is quiet against those
 * before; the longer it takes the louder that may be, so that it ends after 14 s at the latest.
 */
export class OwnEncoding {
  readonly rateHz: AudioRateHz;
  readonly #encoder: Encoder;
  readonly #remembers: boolean;
  #isFresh = true;
  /** What the leg was sent last is of this one. */
  #followed: SharedEncoding | undefined;
  /** The slot that comes next is this one's too. */
  #towards: SharedEncoding | undefined;
  #sameSlots = 0;
  #alikeSlots = 0;
  #quietSlots = 0;
  #loudest = 0;

  /** @throws CallreelError NO_COMMON_CODEC */
  constructor(format: NegotiatedCodec) {
    this.#encoder = encoderFor(format);
    this.rateHz = audioRateHzOf(format);
    this.#remembers = !isStateless(format.codec);
  }

  /** In the state that the listener's decoder expects. */
  get encoder(): Encoder {
    this.#takeState();
    return this.#encoder;
  }

  /** Nothing was encoded yet: the listener's decoder expects nothing. */
  get isFresh(): boolean {
    return this.#isFresh && !this.#followed;
  }

  /** As `Encoder.encode`. */
  encode(samples: Int16Array, out: Uint8Array): number {
    if (!this.#remembers) return this.#encoder.encode(samples, out);
    encodingCount.slots++;
    const { encoder } = this;
    const towards = this.#towards;
    this.#towards = undefined;
    this.#isFresh = false;
    if (!towards) this.#beginAnew();
    if (!towards || !encoder.encodeTowards) return encoder.encode(samples, out);
    const bytes = encoder.encodeTowards(samples, towards.payload, out);
    this.#sameSlots = isSame(towards.payload, out, bytes) ? this.#sameSlots + 1 : 0;
    return bytes;
  }

  follows(shared: SharedEncoding): boolean {
    return this.#followed === shared;
  }

  /** The slot that comes is sent from there. */
  follow(shared: SharedEncoding): void {
    this.#followed = shared;
    this.#towards = undefined;
  }

  /** Goes on by itself. Called before the shared encoder has another slot, which the listener will not have. */
  leave(): void {
    this.#takeState();
    this.#beginAnew();
  }

  /**
   * @param shared has encoded this slot, whose samples are those of this leg too
   * @returns whether the leg may follow it from this slot on; else this slot is to be encoded here
   */
  mayFollow(shared: SharedEncoding): boolean {
    const isThere = this.#encoder.encodeTowards
      ? this.#sameSlots >= settledSlots
      : this.#isQuiet(shared.peak);
    this.#towards = isThere ? undefined : shared;
    return isThere;
  }

  #takeState(): void {
    if (!this.#followed) return;
    this.#encoder.copyState?.(this.#followed.encoder);
    this.#followed = undefined;
    this.#isFresh = false;
  }

  #beginAnew(): void {
    this.#towards = undefined;
    this.#sameSlots = this.#alikeSlots = this.#quietSlots = this.#loudest = 0;
  }

  #isQuiet(peak: number): boolean {
    this.#loudest = Math.max(this.#loudest, peak);
    const quietDb = quietAtFirstDb + quietDbPerSlot * this.#alikeSlots++;
    const limit = Math.max(silentPeak, this.#loudest * 10 ** (quietDb / 20));
    this.#quietSlots = peak <= limit ? this.#quietSlots + 1 : 0;
    return this.#alikeSlots > alikeSlotsAtLeast && this.#quietSlots >= quietSlotsAtLeast;
  }
}

function isSame(payload: Uint8Array, other: Uint8Array, bytes: number): boolean {
  if (payload.length !== bytes) return false;
  for (let i = 0; i < bytes; i++) if (payload[i] !== other[i]) return false;
  return true;
}
