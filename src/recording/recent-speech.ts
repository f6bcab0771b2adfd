import type { CapturedPacket } from '../media/capture-sink.ts';

/** Ten seconds of the widest Opus. */
const maxBytes = 768 * 1024;

/** What a party said last, in memory only: packets as they came, no longer and no larger than it may be. */
export class RecentSpeech {
  readonly #longestUs: number;
  #fromUs: number;
  #packets: CapturedPacket[] = [];
  #bytes = 0;

  /** @param fromUs what came before is not kept, monotonic microseconds */
  constructor(fromUs: number, longestUs: number) {
    this.#fromUs = fromUs;
    this.#longestUs = longestUs;
  }

  /** Copied: the packet's memory is reused. */
  keep(packet: CapturedPacket): void {
    if ((packet.saidUs ?? packet.arrivalUs) < this.#fromUs) return;
    this.#packets.push({ ...packet, payload: packet.payload.slice() });
    this.#bytes += packet.payload.length;
    const oldestUs = packet.arrivalUs - this.#longestUs;
    while (this.#packets.length > 0 && (this.#packets[0]!.arrivalUs < oldestUs || this.#bytes > maxBytes))
      this.#bytes -= this.#packets.shift()!.payload.length;
  }

  /** Forgets what is there, and keeps nothing that comes before `fromUs`. */
  restart(fromUs: number): void {
    this.#fromUs = fromUs;
    this.#packets = [];
    this.#bytes = 0;
  }

  /** In the order they came; what was said too long before is left out. */
  until(atUs: number): CapturedPacket[] {
    return this.#packets.filter(({ arrivalUs }) => arrivalUs >= atUs - this.#longestUs);
  }
}
