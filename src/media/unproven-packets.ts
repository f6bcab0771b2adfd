import type { Datagram } from '../rtp/transport.ts';
import { EarlyPackets } from './early-packets.ts';
import { probationUs } from './source-probation.ts';

/** A source is proven in `probationUs`; the rest is for the one that began later, and for an answer that is late. */
export const maxUnprovenUs = 2 * probationUs;
/** As much of packets of 10 ms, with room for strays. */
export const maxUnprovenPackets = 256;

/** What sources send until one of them is proven or an answer names it: its first words are not lost. */
export class UnprovenPackets {
  readonly #take: (datagram: Datagram) => void;
  #held: EarlyPackets | undefined;

  constructor(take: (datagram: Datagram) => void) {
    this.#take = take;
  }

  get holds(): boolean {
    return this.#held !== undefined;
  }

  hold(datagram: Datagram): void {
    this.#held ??= new EarlyPackets({ maxUs: maxUnprovenUs, maxPackets: maxUnprovenPackets });
    this.#held.hold(datagram);
  }

  /**
   * Gives what this source, which is the leg's now, sent before; in the order of arrival. Forgets the rest.
   * @returns whether anything was held
   */
  releaseTo(address: string, port: number, nowUs: number): boolean {
    if (!this.#held) return false;
    this.#give(nowUs, (held) => held.sourcePort === port && held.sourceAddress === address);
    return true;
  }

  /** Gives everything: other sources may be the leg's now. */
  releaseAll(nowUs: number): void {
    this.#give(nowUs, () => true);
  }

  forget(): void {
    this.#held = undefined;
  }

  #give(nowUs: number, isWanted: (held: Datagram) => boolean): void {
    const held = this.#held;
    this.#held = undefined;
    held?.release(nowUs, (datagram) => {
      if (isWanted(datagram)) this.#take(datagram);
    });
  }
}
