import type { Datagram } from '../rtp/transport.ts';
import { EarlyPackets, maxEarlyPackets, maxEarlyUs } from './early-packets.ts';
import type { MediaSessionOptions } from './media-session-options.ts';

/** Looks follow one another by a slot. */
const mostBetweenLooksUs = 100_000;
/** A server that takes longer between an answer and the stay that follows it has failed the call. */
export const maxJoiningUs = 5_000_000;
const maxJoiningPackets = 4 * maxEarlyPackets;

/**
 * The first words of a leg that we called: kept from our offer on, until there is an agreement to read them by and
 * somebody to hear them, and no longer than `maxEarlyUs` behind the agreement, or than `maxJoiningUs` where it is known
 * that somebody will. Time in which the thread was held up does not count: who is to hear them may have been named
 * meanwhile.
 */
export class EarlyWords {
  /** Undefined once they were given: what comes is heard at once. */
  #packets: EarlyPackets | undefined;
  readonly #joinsAtAnswer: boolean;
  #agreedUs = Number.POSITIVE_INFINITY;
  #isExpired = false;
  /** From the agreement on. */
  #heldUpUs = 0;
  #lookedUs = Number.POSITIVE_INFINITY;

  /** @param options without `awaitsAnswer` nothing is kept */
  constructor({ awaitsAnswer, joinsAtAnswer }: Pick<MediaSessionOptions, 'awaitsAnswer' | 'joinsAtAnswer'>) {
    this.#joinsAtAnswer = joinsAtAnswer;
    const maxPackets = joinsAtAnswer ? maxJoiningPackets : maxEarlyPackets;
    if (awaitsAnswer) this.#packets = new EarlyPackets({ maxPackets });
  }

  /** They can be read. */
  agreed(nowUs: number): void {
    this.#agreedUs = nowUs;
    this.#isExpired = false;
    this.#heldUpUs = 0;
    this.#lookedUs = nowUs;
  }

  /** They are recorded, from the oldest on that is still kept. */
  record(nowUs: number): void {
    if (this.#isReadable) this.#packets?.recordFrom(this.#ageingUntil(nowUs) - maxEarlyUs);
  }

  /** @returns whether the datagram was kept */
  hold(datagram: Datagram): boolean {
    if (!this.#packets || this.#isExpired) return false;
    this.#packets.hold(datagram);
    return true;
  }

  /** When the first of what `admit` would give arrived; `nowUs` where there is nothing. */
  sinceUs(nowUs: number): number {
    if (!this.#packets || !this.#isReadable) return nowUs;
    this.#packets.keepNewestStream();
    return this.#packets.firstArrivalUs(this.#ageingUntil(nowUs)) ?? nowUs;
  }

  /** Somebody hears the leg: gives what was kept, once it can be read. */
  admit(nowUs: number, take: (datagram: Datagram) => void): void {
    const packets = this.#packets;
    if (!packets || !this.#isReadable) return;
    this.#packets = undefined;
    packets.keepNewestStream();
    packets.release(this.#ageingUntil(nowUs), take);
  }

  /** Once a slot: gives what was kept for too long. */
  expire(nowUs: number, take: (datagram: Datagram) => void): void {
    if (!this.#packets || this.#isExpired || !this.#isReadable) return;
    const countedUs = this.#look(nowUs);
    if (countedUs - this.#agreedUs < (this.#joinsAtAnswer ? maxJoiningUs : maxEarlyUs)) return;
    this.#isExpired = true;
    this.#packets.release(countedUs, take);
  }

  /** Nothing is kept, nor will be. */
  get isOver(): boolean {
    return this.#packets === undefined;
  }

  /** @returns by what the age of what is kept counts: for who joins at the answer nothing said behind it grows old */
  #ageingUntil(nowUs: number): number {
    const countedUs = this.#look(nowUs);
    return this.#joinsAtAnswer ? Math.min(countedUs, this.#agreedUs) : countedUs;
  }

  /** @returns the time without that in which the thread was held up */
  #look(nowUs: number): number {
    this.#heldUpUs += Math.max(0, nowUs - this.#lookedUs - mostBetweenLooksUs);
    this.#lookedUs = nowUs;
    return nowUs - this.#heldUpUs;
  }

  get #isReadable(): boolean {
    return this.#agreedUs !== Number.POSITIVE_INFINITY;
  }
}
