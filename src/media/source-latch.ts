import { isPrivateAddress } from './private-address.ts';

/** How well a source fits what was signalled; a better fit takes over at once, an equal or worse one has to wait. */
const rankAbandoned = 0;
const rankElsewhere = 1;
const rankSignallingHost = 2;
const rankSameHost = 3;
const rankSignalled = 4;

/** A source this long silent may have moved to another port. */
export const sourceSilenceUs = 2_000_000;
/** One that goes on with the numbers of the stream has moved as soon as the old place is silent. */
export const moveSilenceUs = 200_000;
/** How many numbers such a move may lose. */
const maxMoveLoss = 250;

/** A source at an address nobody signalled is taken for the leg's own after so many packets. */
export const provenPackets = 25;

/**
 * Packets in a row of one stream that a source at an address nobody signalled has to send before it is heard at all:
 * where packets can not come from the signalled address, and where they could.
 */
export const probationPackets = { privateAddress: 1, publicAddress: 10 };
/** In which the leg sends nothing else. */
const probationUs = 1_000_000;

export interface SourceAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * Symmetric RTP (RFC 4961) with a guard. The first valid packet decides where the leg's media comes from and goes to,
 * so that a phone behind NAT is heard; afterwards no stray source can take the leg over. At once such a packet is
 * taken from the signalled address or the one that the SIP messages come from; from anywhere else only a stream of
 * consecutive packets is. A source that fits what was signalled better than the current one replaces it at once. Any
 * other has to wait until the current source has been silent for `sourceSilenceUs`, and must have its IP address: a
 * NAT changes ports, hardly ever addresses. A source that goes on with SSRC and sequence number of the current one is
 * the same phone in another place; nobody off the path knows them.
 *
 * From a foreign address the leg is taken over only after the signalled address changed, or where the current
 * source is foreign itself and fell silent before `provenPackets`: one stray packet that came first must not mute a
 * phone behind NAT for the whole call.
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
  /** Source in use when the signalled address changed: its packets in flight are welcome, its claim is gone. */
  #abandonedAddress = '';
  #abandonedPort = 0;
  readonly #probation = { address: '', port: 0, ssrc: -1, sequenceNumber: 0, packets: 0, sinceUs: 0 };

  /** The same address again, as in a session refresh, keeps the latch. */
  signal(remote: SourceAddress | undefined, signallingAddress?: string): void {
    const previous = this.#signalled;
    const same = previous?.address === remote?.address && previous?.port === remote?.port;
    this.#signalled = remote;
    this.#signallingAddress = signallingAddress;
    if (same || this.#rank < 0) return;
    this.#abandonedAddress = this.#address;
    this.#abandonedPort = this.#port;
    this.#rank = -1;
  }

  /** Whether a valid packet from this source belongs to the leg; numbers as on the wire. */
  accepts(address: string, port: number, atUs: number, ssrc: number, sequenceNumber: number): boolean {
    if (this.#rank < 0 || port !== this.#port || address !== this.#address) {
      const rank = this.#rankOf(address, port);
      if (!this.#takesOver(rank, address, port, atUs, ssrc, sequenceNumber)) return false;
      // Another port of the same address is the same source.
      if (address !== this.#address) this.#packets = 0;
      this.#address = address;
      this.#port = port;
      this.#rank = rank;
      this.#probation.packets = 0;
    }
    this.#packets++;
    this.#lastUs = atUs;
    this.#ssrc = ssrc;
    this.#sequenceNumber = sequenceNumber;
    return true;
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
  ): boolean {
    if (this.#rank >= 0 && rank <= this.#rank)
      return this.#moved(atUs, ssrc, sequenceNumber) || this.#givesWayTo(address, atUs);
    return rank !== rankElsewhere || this.#passesProbation(address, port, atUs, ssrc, sequenceNumber);
  }

  #moved(atUs: number, ssrc: number, sequenceNumber: number): boolean {
    if (ssrc !== this.#ssrc || atUs - this.#lastUs < moveSilenceUs) return false;
    const step = (sequenceNumber - this.#sequenceNumber) & 0xffff;
    return step > 0 && step <= maxMoveLoss;
  }

  /** To a source that fits no better; whatever has the signalled IP address has the current one's then, too. */
  #givesWayTo(address: string, atUs: number): boolean {
    if (atUs - this.#lastUs < sourceSilenceUs) return false;
    return address === this.#address || (this.#rank < rankSignallingHost && this.#packets < provenPackets);
  }

  #passesProbation(
    address: string,
    port: number,
    atUs: number,
    ssrc: number,
    sequenceNumber: number,
  ): boolean {
    const probation = this.#probation;
    const continues =
      probation.packets > 0 &&
      probation.address === address &&
      probation.port === port &&
      probation.ssrc === ssrc &&
      ((probation.sequenceNumber + 1) & 0xffff) === sequenceNumber &&
      atUs - probation.sinceUs <= probationUs;
    if (!continues) {
      probation.packets = 0;
      probation.sinceUs = atUs;
      probation.address = address;
      probation.port = port;
      probation.ssrc = ssrc;
    }
    probation.sequenceNumber = sequenceNumber;
    probation.packets++;
    const { privateAddress, publicAddress } = probationPackets;
    const isHidden = !this.#signalled || isPrivateAddress(this.#signalled.address);
    return probation.packets >= (isHidden ? privateAddress : publicAddress);
  }

  #rankOf(address: string, port: number): number {
    const signalled = this.#signalled;
    if (signalled?.address === address) return signalled.port === port ? rankSignalled : rankSameHost;
    if (address === this.#signallingAddress) return rankSignallingHost;
    if (port === this.#abandonedPort && address === this.#abandonedAddress) return rankAbandoned;
    return rankElsewhere;
  }
}
