import type { Datagram } from '../rtp/transport.ts';
import { EarlyPackets, maxEarlyUs } from './early-packets.ts';

/**
 * The first words of a leg that we called: kept from our offer on, until there is an agreement to read them by and
 * somebody to hear them, and no longer than `maxEarlyUs` behind the agreement.
 */
export class EarlyWords {
  /** Undefined once they were given: what comes is heard at once. */
  #packets: EarlyPackets | undefined;
  #untilUs = Number.POSITIVE_INFINITY;

  /** @param awaitsAnswer false: nothing is kept */
  constructor(awaitsAnswer: boolean) {
    if (awaitsAnswer) this.#packets = new EarlyPackets();
  }

  /** They can be read. */
  agreed(nowUs: number): void {
    this.#untilUs = nowUs + maxEarlyUs;
  }

  /** They are recorded, from the oldest on that is still kept. */
  record(nowUs: number): void {
    if (this.#isReadable) this.#packets?.recordFrom(nowUs - maxEarlyUs);
  }

  /** @returns whether the datagram was kept */
  hold(datagram: Datagram): boolean {
    if (!this.#packets || datagram.arrivalUs >= this.#untilUs) return false;
    this.#packets.hold(datagram);
    return true;
  }

  /** When the first of what `admit` would give arrived; `nowUs` where there is nothing. */
  sinceUs(nowUs: number): number {
    if (!this.#packets || !this.#isReadable) return nowUs;
    this.#packets.keepNewestStream();
    return this.#packets.firstArrivalUs(nowUs) ?? nowUs;
  }

  /** Somebody hears the leg: gives what was kept, once it can be read. */
  admit(nowUs: number, take: (datagram: Datagram) => void): void {
    const packets = this.#packets;
    if (!packets || !this.#isReadable) return;
    this.#packets = undefined;
    packets.keepNewestStream();
    packets.release(nowUs, take);
  }

  /** Gives what was kept for too long. */
  expire(nowUs: number, take: (datagram: Datagram) => void): void {
    if (nowUs >= this.#untilUs) this.#packets?.release(nowUs, take);
  }

  /** Nothing is kept, nor will be. */
  get isOver(): boolean {
    return this.#packets === undefined;
  }

  get #isReadable(): boolean {
    return this.#untilUs !== Number.POSITIVE_INFINITY;
  }
}
