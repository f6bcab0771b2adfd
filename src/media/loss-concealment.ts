import { Concealer } from '../audio/concealment.ts';
import type { Decoder } from '../codec/codec.ts';

/** Beyond this nothing is made up: a voice that is gone is silent. */
const longestMs = 60;
/** Asked of a codec at once: the usual length of its packets. */
const stepMs = 20;
/** Decoded packets that are kept to go on from. */
const keptPackets = 4;

/**
 * Decodes the packets of one stream and stands in for those that were lost: by the codec where it knows how, else from
 * the last samples decoded. A stream without losses costs nothing: its samples are looked at only once one is lost.
 */
export class LossConcealment {
  concealedSamples = 0;
  readonly #rateHz: number;
  /** Decoded packets; the newest at `#newest`. */
  readonly #decoded: Int16Array[];
  readonly #lengths = new Int32Array(keptPackets);
  #newest = 0;
  #concealer: Concealer | undefined;
  /** How much was made up since the last packet. */
  #lossSamples = 0;
  #decoder: Decoder | undefined;

  /** @param maxPacketSamples the rest of a longer packet is cut off */
  constructor(rateHz: number, maxPacketSamples: number) {
    this.#rateHz = rateHz;
    this.#decoded = Array.from({ length: keptPackets }, () => new Int16Array(maxPacketSamples));
  }

  /** What was decoded or made up last; valid until the next call. */
  get samples(): Int16Array {
    return this.#decoded[this.#newest]!;
  }

  reset(): void {
    this.#lengths.fill(0);
    this.#lossSamples = 0;
    this.#decoder = undefined;
  }

  /** @returns how many `samples` there are */
  decode(payload: Uint8Array, decoder: Decoder): number {
    const buffer = this.#nextBuffer();
    const samples = decoder.decode(payload, buffer);
    this.#lengths[this.#newest] = samples;
    if (this.#lossSamples > 0 && !this.#decoder?.conceal)
      this.#concealer?.received(buffer.subarray(0, samples));
    this.#decoder = decoder;
    this.#lossSamples = 0;
    return samples;
  }

  /**
   * Makes up the next part of a loss.
   * @param gapSamples how much is missing from here to `next`
   * @param next the payload behind the loss
   * @returns how many `samples` there are; 0: silence is better
   */
  conceal(gapSamples: number, next: Uint8Array): number {
    const decoder = this.#decoder;
    const room = (this.#rateHz * longestMs) / 1000 - this.#lossSamples;
    const stepSamples = (this.#rateHz * stepMs) / 1000;
    const wanted = Math.min(gapSamples, stepSamples, room);
    if (!decoder || wanted <= 0) return 0;
    let made = wanted;
    if (decoder.conceal)
      made = decoder.conceal(this.#nextBuffer(), wanted, gapSamples <= stepSamples ? next : undefined);
    else {
      if (this.#lossSamples === 0) this.#recall();
      this.#concealer!.conceal(this.#nextBuffer().subarray(0, wanted));
    }
    this.#lengths[this.#newest] = made;
    this.#lossSamples += Math.max(made, 1);
    this.concealedSamples += made;
    return made;
  }

  /** Gives the concealer what was decoded last, oldest first. */
  #recall(): void {
    const concealer = (this.#concealer ??= new Concealer(this.#rateHz));
    concealer.reset();
    for (let age = keptPackets - 1; age >= 0; age--) {
      const index = (this.#newest + keptPackets - age) % keptPackets;
      const samples = this.#lengths[index]!;
      if (samples > 0) concealer.received(this.#decoded[index]!.subarray(0, samples));
    }
  }

  #nextBuffer(): Int16Array {
    this.#newest = (this.#newest + 1) % keptPackets;
    return this.samples;
  }
}
