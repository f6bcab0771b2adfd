import { Concealer } from '../audio/concealment.ts';
import type { Decoder } from '../codec/codec.ts';

/** Beyond this nothing is made up: a voice that is gone is silent. */
const longestMs = 60;
/** Asked of a codec at once: the usual length of its packets. */
const stepMs = 20;
/** Decoded packets that are kept to go on from, and with the one that was played before them. */
const keptPackets = 4;
export const heldPackets = 5;
const noSamples = new Int16Array(0);
/** Of all legs. */
let unheard = noSamples;

/**
 * Decodes the packets of one stream and stands in for those that were lost: by the codec where it knows how, else from
 * the last samples decoded. While nobody knows yet whether a packet is lost or late, a guess from the last samples
 * stands in, which a decoder knows nothing of: it takes the late packet as if nothing had been. A stream without losses
 * costs nothing: its samples are looked at only once one is missing.
 */
export class LossConcealment {
  readonly #rateHz: number;
  readonly #maxPacketSamples: number;
  /** Decoded packets; the newest at `#newest`. */
  readonly #decoded: Int16Array[];
  /** The beginnings of them that were asked for. */
  readonly #heads: Int16Array[];
  readonly #lengths = new Int32Array(heldPackets);
  #newest = 0;
  #concealer: Concealer | undefined;
  /** How much was made up since the last packet. */
  #lossSamples = 0;
  /** How much of that the decoder does not know of. */
  #guessedSamples = 0;
  readonly #stepSamples: number;
  #decoder: Decoder | undefined;

  /** @param maxPacketSamples the rest of a longer packet is cut off */
  constructor(rateHz: number, maxPacketSamples: number) {
    this.#rateHz = rateHz;
    this.#stepSamples = (rateHz * stepMs) / 1000;
    this.#decoded = Array.from({ length: heldPackets }, () => noSamples);
    this.#heads = [...this.#decoded];
    this.#maxPacketSamples = maxPacketSamples;
  }

  /** What was decoded or made up last; valid until the next call. */
  get samples(): Int16Array {
    return this.#decoded[this.#newest]!;
  }

  /** The first of `samples`; valid until so many packets more were decoded as are held. */
  head(samples: number): Int16Array {
    const head = this.#heads[this.#newest]!;
    if (head.length === samples) return head;
    return (this.#heads[this.#newest] = this.samples.subarray(0, samples));
  }

  /** The same of the one before. */
  headBefore(samples: number): Int16Array {
    const before = (this.#newest + heldPackets - 1) % heldPackets;
    return this.#decoded[before]!.subarray(0, samples);
  }

  /** The last samples are of this decoder, and nothing was made up since. */
  isEven(decoder: Decoder): boolean {
    return this.#decoder === decoder && this.#lossSamples === 0 && this.#guessedSamples === 0;
  }

  reset(): void {
    this.#lengths.fill(0);
    this.#lossSamples = 0;
    this.#guessedSamples = 0;
    this.#decoder = undefined;
  }

  /** Whether a guess stands in, and nothing came since. */
  get guesses(): boolean {
    return this.#guessedSamples > 0;
  }

  /**
   * @param missing whether packets before this one are lost for good
   * @param playedSamples at its beginning, whose time is over
   * @returns how many `samples` there are
   */
  decode(payload: Uint8Array, decoder: Decoder, missing = false, playedSamples = 0): number {
    if (missing) this.#tellDecoder();
    const buffer = this.#nextBuffer();
    const samples = decoder.decode(payload, buffer);
    this.#lengths[this.#newest] = samples;
    const isKnown = this.#decoder?.conceal !== undefined && this.#guessedSamples === 0;
    const isFadedOut = this.#roomSamples <= 0;
    this.#decoder = decoder;
    if (this.#lossSamples === 0 || playedSamples >= samples) return samples;
    const heard = buffer.subarray(Math.max(0, playedSamples), samples);
    if (!isKnown && !isFadedOut) this.#concealer?.received(heard, heard);
    this.#lossSamples = 0;
    this.#guessedSamples = 0;
    return samples;
  }

  /**
   * Goes on with the voice while nothing is here; behind it the stream may go on as if nothing had been.
   * @returns how many `samples` there are; 0: silence is better
   */
  guess(wantedSamples: number): number {
    const wanted = Math.min(wantedSamples, this.#stepSamples, this.#roomSamples);
    // Behind what the codec made up only the codec can go on.
    if (!this.#decoder || wanted <= 0 || this.#lossSamples > this.#guessedSamples) return 0;
    this.#goOn(wanted);
    this.#guessedSamples += wanted;
    return wanted;
  }

  /**
   * Makes up the next part of a loss.
   * @param gapSamples how much is missing from here to `next`
   * @param next the payload behind the loss
   * @returns how many `samples` there are; 0: silence is better
   */
  conceal(gapSamples: number, next: Uint8Array): number {
    const decoder = this.#decoder;
    const stepSamples = this.#stepSamples;
    const wanted = Math.min(gapSamples, stepSamples, this.#roomSamples);
    if (!decoder || wanted <= 0) return 0;
    if (!decoder.conceal) {
      this.#goOn(wanted);
      return wanted;
    }
    const guessed = this.guesses;
    this.#tellDecoder();
    const buffer = this.#nextBuffer();
    const made = decoder.conceal(buffer, wanted, gapSamples <= stepSamples ? next : undefined);
    if (guessed) this.#concealer!.received(buffer.subarray(0, made), buffer.subarray(0, made));
    this.#lengths[this.#newest] = made;
    this.#lossSamples += Math.max(made, 1);
    return made;
  }

  get #roomSamples(): number {
    return (this.#rateHz * longestMs) / 1000 - this.#lossSamples;
  }

  /** From the last samples. */
  #goOn(samples: number): void {
    if (this.#lossSamples === 0) this.#recall();
    this.#concealer!.conceal(this.#nextBuffer().subarray(0, samples));
    this.#lengths[this.#newest] = samples;
    this.#lossSamples += samples;
  }

  /** What was guessed is lost: a decoder with a memory is to know how much time went by. */
  #tellDecoder(): void {
    const step = this.#stepSamples;
    if (unheard.length < step) unheard = new Int16Array(step);
    for (let left = this.#guessedSamples; left > 0 && this.#decoder?.conceal; left -= step)
      this.#decoder.conceal(unheard, Math.min(left, step));
    this.#guessedSamples = 0;
  }

  /** Gives the concealer what was decoded last, oldest first. */
  #recall(): void {
    const concealer = (this.#concealer ??= new Concealer(this.#rateHz));
    concealer.reset();
    for (let age = keptPackets - 1; age >= 0; age--) {
      const index = (this.#newest + heldPackets - age) % heldPackets;
      const samples = this.#lengths[index]!;
      if (samples > 0) concealer.received(this.#decoded[index]!.subarray(0, samples));
    }
  }

  #nextBuffer(): Int16Array {
    this.#newest = (this.#newest + 1) % heldPackets;
    if (this.samples === noSamples) this.#decoded[this.#newest] = new Int16Array(this.#maxPacketSamples);
    return this.samples;
  }
}
