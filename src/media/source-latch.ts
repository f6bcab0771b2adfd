import { SourceProbation } from './source-probation.ts';

/** How well a source fits what was signalled, as in the table of `SourceLatch`. */
const rankForeign = 0;
const rankFormer = 1;
const rankFormerHost = 2;
const rankSignallingHost = 3;
const rankSameHost = 4;
const rankSignallingHostAndPort = 5;
const rankSignalled = 6;

/** So many packets of one stream, over at least so long a time, prove another port of an address that is known. */
export const steadyPackets = 5;
export const steadyUs = 100_000;
/** How long it has to go on alone where it was heard beside the leg's source before: somebody else at that address. */
export const rivalSilenceUs = 2_000_000;
/** A leg that has no source takes one that sends too little to prove itself after so long a time. */
export const settleUs = 500_000;
/** One that goes on with the numbers of the stream has moved as soon as the old place is silent. */
export const moveSilenceUs = 100_000;
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

/** A source and the last of its stream. */
interface KnownSource extends SourceAddress {
  readonly ssrc: number;
  readonly sequenceNumber: number;
}

/**
 * Symmetric RTP (RFC 4961) with a guard: where the leg's media comes from and goes to, so that a phone behind NAT is
 * heard, and no stray source takes the leg over. A source that fits better than the current one replaces it at once;
 * while there is none:
 *
 *     6  the signalled address and port           heard at once
 *     5  the address the SIP messages come from   heard at once: a phone behind a NAT that keeps ports
 *        and the signalled port
 *     4  the signalled address, another port      heard once it is steady
 *     3  the address the SIP messages come from   heard once it is steady: a phone behind NAT
 *     2  the address of the source before the     heard once it is steady
 *        signalled address changed
 *     1  that very source                         heard at once: its packets in flight
 *     0  foreign: any other                       heard once it is proven
 *
 * Steady is one that has sent `steadyPackets` of one stream for `steadyUs`: many phones share the address of a NAT,
 * and a stray packet of another one must not keep this one out; of two the one that began later, for the other is
 * rather left over from another call. Where none gets so far in `settleUs`, the one with the most packets is heard.
 * Media is sent to the first of them meanwhile.
 *
 * Nothing of a foreign source is taken and nothing is sent to it before it has sent `probationPackets` of one stream
 * for `probationUs`, in which no better one spoke (`SourceProbation`).
 *
 * A source that fits no better than the current one must have its address, for a NAT changes ports, hardly ever
 * addresses, and be steady while that is silent; if it spoke beside it before, for `rivalSilenceUs`. The replaced one
 * comes back at once with the next numbers of its stream. To a foreign one the leg goes only where the current is a
 * former source, or foreign itself and fell silent before `settledPackets`. A source that goes on with SSRC and
 * sequence number of the current one is the same phone in another place, for nobody off the path knows them: from the
 * same address it is heard at once, from others once the old place is silent for `moveSilenceUs`.
 *
 * What is authentic (SRTP) is heard at once from wherever; only the former source does not replace a better one.
 *
 * What those send that are not heard yet is to be kept (`onProbation`), and is taken once they are.
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
  /** By one that fits no better. */
  #replaced: KnownSource | undefined;
  /** The first that may become steady while there is no source. */
  #provisional: SourceAddress | undefined;
  readonly #foreign = new SourceProbation();
  readonly #known = new SourceProbation({
    packets: steadyPackets,
    us: steadyUs,
    rivalUs: rivalSilenceUs,
    prefersLatest: true,
  });
  #onProbation = false;

  /** The same address again, as in a session refresh, keeps the latch. */
  signal(signalled: SourceAddress | undefined, signallingAddress?: string): void {
    const remote = signalled && unspecifiedAddresses.has(signalled.address) ? undefined : signalled;
    const previous = this.#signalled;
    const same = previous?.address === remote?.address && previous?.port === remote?.port;
    this.#signalled = remote;
    this.#signallingAddress = signallingAddress;
    if (same) return;
    this.#provisional = undefined;
    this.#replaced = undefined;
    this.#known.forget();
    if (this.#rank < 0) return;
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
      if (this.#isStraggler(address, ssrc, sequenceNumber, authentic)) return true;
      const rank = this.#rankOf(address, port);
      if (!this.#takesOver(rank, address, port, atUs, ssrc, sequenceNumber, authentic)) return false;
      this.#moveTo(address, port, rank);
    }
    this.#foreign.reset();
    this.#known.reset();
    this.#packets++;
    this.#lastUs = atUs;
    this.#ssrc = ssrc;
    this.#sequenceNumber = sequenceNumber;
    return true;
  }

  /**
   * Once a slot: a leg without a source takes the one that would be it if it had more to say.
   * @returns whether it took one, whose packets that were kept are to be taken now
   */
  settle(nowUs: number): boolean {
    if (!this.#provisional || this.#rank >= 0) return false;
    const best = this.#known.bestOfThoseSince(nowUs - settleUs);
    if (!best) return false;
    const { address, port, ssrc, sequenceNumber, lastUs } = best;
    this.#moveTo(address, port, this.#rankOf(address, port));
    this.#lastUs = lastUs;
    this.#ssrc = ssrc;
    this.#sequenceNumber = sequenceNumber;
    return true;
  }

  /** The last packet was this one, from the source that is sent to. */
  isAt(ssrc: number, sequenceNumber: number): boolean {
    return this.#rank >= 0 && ssrc === this.#ssrc && sequenceNumber === this.#sequenceNumber;
  }

  /** So many packets more of the source and its stream were accepted, up to this one. */
  wentOn(packets: number, atUs: number, sequenceNumber: number): void {
    this.#packets += packets;
    this.#lastUs = atUs;
    this.#sequenceNumber = sequenceNumber;
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
    if (this.#rank >= 0) return this.#address;
    return (this.#provisional ?? this.#signalled)?.address ?? '';
  }

  get sendPort(): number {
    if (this.#rank >= 0) return this.#port;
    return (this.#provisional ?? this.#signalled)?.port ?? 0;
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
    if (authentic && (rank !== rankFormer || rank > this.#rank)) return true;
    if (this.#rank < 0) {
      if (rank === rankFormer || rank >= rankSignallingHostAndPort) return true;
      if (rank === rankForeign)
        return this.#isProven(this.#foreign, address, port, atUs, ssrc, sequenceNumber);
      this.#foreign.reset();
      this.#provisional ??= { address, port };
      return this.#isProven(this.#known, address, port, atUs, ssrc, sequenceNumber);
    }
    if (rank > this.#rank || this.#comesBack(address, port, ssrc, sequenceNumber)) return true;
    const step = ssrc === this.#ssrc ? (sequenceNumber - this.#sequenceNumber) & 0xffff : 0;
    if (step > 0 && step <= maxMoveLoss) {
      const isNear = step <= maxRebindStep && address === this.#address;
      this.#onProbation = !isNear && atUs - this.#lastUs < moveSilenceUs;
      return !this.#onProbation;
    }
    if (address === this.#address)
      return this.#isProven(this.#known, address, port, atUs, ssrc, sequenceNumber);
    if (!this.#givesWay(atUs)) return false;
    return this.#isProven(this.#foreign, address, port, atUs, ssrc, sequenceNumber);
  }

  #isProven(
    probation: SourceProbation,
    address: string,
    port: number,
    atUs: number,
    ssrc: number,
    sequenceNumber: number,
  ): boolean {
    this.#onProbation = !probation.passes(address, port, atUs, ssrc, sequenceNumber);
    return !this.#onProbation;
  }

  #moveTo(address: string, port: number, rank: number): void {
    const replaced = this.#replaced;
    const keeps = rank <= this.#rank && (address !== replaced?.address || port !== replaced.port);
    this.#replaced = keeps ? this.#current() : undefined;
    // Another port of the same address is the same source.
    if (address !== this.#address) this.#packets = 0;
    this.#address = address;
    this.#port = port;
    this.#rank = rank;
    this.#provisional = undefined;
  }

  #current(): KnownSource {
    const sequenceNumber = this.#sequenceNumber;
    return { address: this.#address, port: this.#port, ssrc: this.#ssrc, sequenceNumber };
  }

  /**
   * Numbers of the current stream that its old port still delivers after the new one was heard; if authentic, from
   * anywhere.
   */
  #isStraggler(address: string, ssrc: number, sequenceNumber: number, authentic: boolean): boolean {
    if (this.#rank < 0 || ssrc !== this.#ssrc) return false;
    const behind = (this.#sequenceNumber - sequenceNumber) & 0xffff;
    return authentic ? behind < 0x8000 : address === this.#address && behind <= maxRebindStep;
  }

  #comesBack(address: string, port: number, ssrc: number, sequenceNumber: number): boolean {
    const replaced = this.#replaced;
    if (!replaced || port !== replaced.port || ssrc !== replaced.ssrc) return false;
    if (address !== replaced.address) return false;
    const step = (sequenceNumber - replaced.sequenceNumber) & 0xffff;
    return step > 0 && step <= maxMoveLoss;
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
    if (address === this.#signallingAddress && port === signalledPort) return rankSignallingHostAndPort;
    // A phone that was given another port of the same address sends from both for a moment.
    if (former && address === former.address && port === former.port) return rankFormer;
    if (address === signalledAddress) return rankSameHost;
    if (address === this.#signallingAddress) return rankSignallingHost;
    return address === former?.address ? rankFormerHost : rankForeign;
  }
}
