import type { Datagram } from '../rtp/transport.ts';

const rtpHeaderBytes = 12;
const ssrcOffset = 8;

/** A 2xx that was lost comes again after T1, 500 ms (RFC 3261 section 13.3.1.4): what was said meanwhile is here. */
export const maxEarlyUs = 600_000;
/** As much of packets of 10 ms, before an answer and behind it. */
export const maxEarlyPackets = 128;

/**
 * What a party sends before we know that it is the one: the first words of a called party, which overtake the answer
 * on their way, or those of a source that has to prove itself first. They are kept, the newest of them, until somebody
 * can understand and hear them.
 */
export class EarlyPackets {
  readonly #maxUs: number;
  readonly #maxPackets: number;
  readonly #kept: Datagram[] = [];
  #recordedFromUs = Number.POSITIVE_INFINITY;

  constructor({ maxUs = maxEarlyUs, maxPackets = maxEarlyPackets } = {}) {
    this.#maxUs = maxUs;
    this.#maxPackets = maxPackets;
  }

  hold({ data, arrivalUs, sourceAddress, sourcePort }: Datagram): void {
    if (this.#kept.length === this.#maxPackets) this.#kept.shift();
    this.#kept.push({ data: Uint8Array.from(data), arrivalUs, sourceAddress, sourcePort });
  }

  /** Forgets what is not of the stream that came last: an announcement before the answer is no word of the party. */
  keepNewestStream(): void {
    const ssrc = ssrcOf(this.#kept.at(-1));
    const ofStream = this.#kept.filter((datagram) => ssrcOf(datagram) === ssrc);
    this.#kept.splice(0, this.#kept.length, ...ofStream);
  }

  /** What came from this moment on is recorded: it does not grow too old. */
  recordFrom(us: number): void {
    this.#recordedFromUs = Math.min(this.#recordedFromUs, us);
  }

  /** When the first of those arrived that `release` would give; undefined: there is none. */
  firstArrivalUs(nowUs: number): number | undefined {
    return this.#kept.find(({ arrivalUs }) => this.#isWanted(arrivalUs, nowUs))?.arrivalUs;
  }

  /** Gives everything that is not too old, in the order of arrival, and forgets it. */
  release(nowUs: number, take: (datagram: Datagram) => void): void {
    for (const datagram of this.#kept.splice(0))
      if (this.#isWanted(datagram.arrivalUs, nowUs)) take(datagram);
  }

  #isWanted(arrivalUs: number, nowUs: number): boolean {
    return nowUs - arrivalUs <= this.#maxUs || arrivalUs >= this.#recordedFromUs;
  }
}

/** In the clear also under SRTP (RFC 3711 section 3.1). */
function ssrcOf(datagram: Datagram | undefined): number | undefined {
  const data = datagram?.data;
  if (!data || data.length < rtpHeaderBytes) return undefined;
  return new DataView(data.buffer, data.byteOffset).getUint32(ssrcOffset);
}
