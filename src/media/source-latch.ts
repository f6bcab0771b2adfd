import { SourceProbation } from './source-probation.ts';

/** How well a source fits what was signalled, as in the table of `SourceLatch`. */
const rankForeign = 0;
const rankFormer = 1;
const rankFormerHost = 2;
const rankSignallingHost = 3;
const rankSameHost = 4;
const rankSignalled = 5;

/** A source this long silent may have moved to another port. */
export const sourceSilenceUs = 2_000_000;
/** One that goes on with the numbers of the stream has moved as soon as the old place is silent. */
export const moveSilenceUs = 200_000;
/** How many numbers such a move may lose. */
const maxMoveLoss = 250;
/** So close to the current number, and of the same address, it has moved even before. */
const maxRebindStep = 5;

/** A foreign source that sent no more than so many packets since it was proven may be replaced by another. */
export const settledPackets = 25;

/** What a phone signals that wants no media for now (RFC 3264 section 8.4, the older way to hold). */
const unspecifiedAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export interface SourceAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * Symmetric RTP (RFC 4961) with a guard: where the leg's media comes from and goes to, so that a phone behind NAT is
 * heard, and no stray source takes the leg over. A source that fits better than the current one replaces it at once:
 *
 *     5  the signalled address and port           heard at once
 *     4  the signalled address, another port      heard at once
 *     3  the address the SIP messages come from   heard at once: a phone behind NAT
 *     2  the address of the source before the     heard at once
 *        signalled address changed
 *     1  that very source                         heard at once: its packets in flight
 *     0  foreign: any other                       heard once it is proven
 *
 * Nothing of a foreign source is taken and nothing is sent to it before it has sent `probationPackets` of one stream
 * for `probationUs`, in which no better one spoke (`SourceProbation`); or before one packet, where that is
 * authentic (SRTP).
 *
 * A source that fits no better than the current one has to wait until that has been silent for `sourceSilenceUs`, and
 * must have its address: a NAT changes ports, hardly ever addresses. To a foreign one the leg goes only where the
 * current is a former source, or foreign itself and fell silent before `settledPackets`. A source that goes on with
 * SSRC and sequence number of the current one is the same phone in another place, for nobody off the path knows
 * them: from the same address it is heard at once, from others once the old place is silent for `moveSilenceUs`.
 */
export class SourceLatch {
  #signalled: SourceAddress | undefined;
  #signallingAddress: string | undefined;
  #address = '';
  #port = 0;
  #rank = -1;
  #lastUs = 0;
  #ssrc = -1;
  #sequenceNumber = 0;
  /** From the current source. */
  #packets = 0;
  #former: SourceAddress | undefined;
  readonly #probation = new SourceProbation();
  #onProbation = false;

  /** The same address again, as in a session refresh, keeps the latch. */
  signal(signalled: SourceAddress | undefined, signallingAddress?: string): void {
    const remote = signalled && unspecifiedAddresses.has(signalled.address) ? undefined : signalled;
    const previous = this.#signalled;
    const same = previous?.address === remote?.address && previous?.port === remote?.port;
    this.#signalled = remote;
    this.#signallingAddress = signallingAddress;
    if (same || this.#rank < 0) return;
    this.#former = { address: this.#address, port: this.#port };
    this.#rank = -1;
    this.#packets = 0;
  }

  /**
   * Whether a valid packet from this source belongs to the leg; numbers as on the wire.
   * @param authentic the packet opened under the leg's keys
   */
  accepts(
    address: string,
    port: number,
    atUs: number,
    ssrc: number,
    sequenceNumber: number,
    authentic = false,
  ): boolean {
    this.#onProbation = false;
    if (this.#rank < 0 || port !== this.#port || address !== this.#address) {
      if (this.#isStraggler(address, ssrc, sequenceNumber)) return true;
      const rank = this.#rankOf(address, port);
      if (!this.#takesOver(rank, address, port, atUs, ssrc, sequenceNumber, authentic)) return false;
      // Another port of the same address is the same source.
      if (address !== this.#address) this.#packets = 0;
      this.#address = address;
      this.#port = port;
      this.#rank = rank;
    }
    this.#probation.reset();
    this.#packets++;
    this.#lastUs = atUs;
    this.#ssrc = ssrc;
    this.#sequenceNumber = sequenceNumber;
    return true;
  }

  /** Whether the packet that was refused last comes from a source that may yet prove to be the leg's. */
  get onProbation(): boolean {
    return this.#onProbation;
  }

  /** Whether RTCP from this source belongs to the leg: it proves nothing and moves nothing. */
  isCurrent(address: string): boolean {
    return this.#rank >= 0 ? address === this.#address : address === this.#signalled?.address;
  }

  get latched(): boolean {
    return this.#rank >= 0;
  }

  /** Where to send: the latched source, else the signalled address; '' while neither is known. */
  get sendAddress(): string {
    return this.#rank >= 0 ? this.#address : (this.#signalled?.address ?? '');
  }

  get sendPort(): number {
    return this.#rank >= 0 ? this.#port : (this.#signalled?.port ?? 0);
  }

  #takesOver(
    rank: number,
    address: string,
    port: number,
    atUs: number,
    ssrc: number,
    sequenceNumber: number,
    authentic: boolean,
  ): boolean {
    if (this.#rank >= 0 && rank <= this.#rank) {
      if (this.#hasMoved(address, atUs, ssrc, sequenceNumber)) return true;
      if (address === this.#address) return atUs - this.#lastUs >= sourceSilenceUs;
      if (!this.#givesWay(atUs)) return false;
    }
    if (rank !== rankForeign || authentic) return true;
    if (this.#probation.passes(address, port, atUs, ssrc, sequenceNumber)) return true;
    this.#onProbation = true;
    return false;
  }

  /** Numbers of the current stream that its old port still delivers after the new one was heard. */
  #isStraggler(address: string, ssrc: number, sequenceNumber: number): boolean {
    if (this.#rank < 0 || ssrc !== this.#ssrc || address !== this.#address) return false;
    return ((this.#sequenceNumber - sequenceNumber) & 0xffff) <= maxRebindStep;
  }

  #hasMoved(address: string, atUs: number, ssrc: number, sequenceNumber: number): boolean {
    if (ssrc !== this.#ssrc) return false;
    const step = (sequenceNumber - this.#sequenceNumber) & 0xffff;
    if (step > 0 && step <= maxRebindStep && address === this.#address) return true;
    return step > 0 && step <= maxMoveLoss && atUs - this.#lastUs >= moveSilenceUs;
  }

  /** To a source of another address that fits no better; whatever has the signalled one has the current one's then. */
  #givesWay(atUs: number): boolean {
    if (this.#rank > rankFormerHost || atUs - this.#lastUs < moveSilenceUs) return false;
    return this.#rank !== rankForeign || this.#packets < settledPackets;
  }

  #rankOf(address: string, port: number): number {
    const { address: signalledAddress, port: signalledPort } = this.#signalled ?? {};
    if (address === signalledAddress && port === signalledPort) return rankSignalled;
    const former = this.#former;
    // A phone that was given another port of the same address sends from both for a moment.
    if (former && address === former.address && port === former.port) return rankFormer;
    if (address === signalledAddress) return rankSameHost;
    if (address === this.#signallingAddress) return rankSignallingHost;
    return address === former?.address ? rankFormerHost : rankForeign;
  }
}
