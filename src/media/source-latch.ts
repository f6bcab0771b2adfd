/** How well a source fits what was signalled; a better fit takes over at once, an equal or worse one has to wait. */
const rankAbandoned = 0;
const rankElsewhere = 1;
const rankSameHost = 2;
const rankSignalled = 3;

/** A source this long silent may have moved to another port. */
export const sourceSilenceUs = 2_000_000;

/** A source at an address nobody signalled is taken for the leg's own after so many packets. */
export const provenPackets = 25;

export interface SourceAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * Symmetric RTP (RFC 4961) with a guard. The first valid packet decides where the leg's media comes from and goes to,
 * so that a phone behind NAT is heard; afterwards no stray source can take the leg over. A source that fits the
 * signalled address better than the current one replaces it at once. Any other has to wait until the current source
 * has been silent for `sourceSilenceUs`, and must have its IP address: a NAT changes ports, hardly ever addresses.
 * From a foreign address the leg is taken over only after the signalled address changed, or where the current
 * source is foreign itself and fell silent before `provenPackets`: one stray packet that came first must not mute a
 * phone behind NAT for the whole call.
 */
export class SourceLatch {
  #signalled: SourceAddress | undefined;
  #address = '';
  #port = 0;
  #rank = -1;
  #lastUs = 0;
  /** From the current source. */
  #packets = 0;
  /** Source in use when the signalled address changed: its packets in flight are welcome, its claim is gone. */
  #abandonedAddress = '';
  #abandonedPort = 0;

  /** The same address again, as in a session refresh, keeps the latch. */
  signal(remote: SourceAddress | undefined): void {
    const previous = this.#signalled;
    const same = previous?.address === remote?.address && previous?.port === remote?.port;
    this.#signalled = remote;
    if (same || this.#rank < 0) return;
    this.#abandonedAddress = this.#address;
    this.#abandonedPort = this.#port;
    this.#rank = -1;
  }

  /** Whether a valid packet from this source belongs to the leg. */
  accepts(address: string, port: number, atUs: number): boolean {
    if (this.#rank < 0 || port !== this.#port || address !== this.#address) {
      const rank = this.#rankOf(address, port);
      if (rank <= this.#rank && !this.#givesWayTo(address, atUs)) return false;
      // Another port of the same address is the same source.
      if (address !== this.#address) this.#packets = 0;
      this.#address = address;
      this.#port = port;
      this.#rank = rank;
    }
    this.#packets++;
    this.#lastUs = atUs;
    return true;
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

  /** To a source that fits no better; whatever has the signalled IP address has the current one's then, too. */
  #givesWayTo(address: string, atUs: number): boolean {
    if (atUs - this.#lastUs < sourceSilenceUs) return false;
    return address === this.#address || (this.#rank < rankSameHost && this.#packets < provenPackets);
  }

  #rankOf(address: string, port: number): number {
    const signalled = this.#signalled;
    if (signalled?.address === address) return signalled.port === port ? rankSignalled : rankSameHost;
    if (port === this.#abandonedPort && address === this.#abandonedAddress) return rankAbandoned;
    return rankElsewhere;
  }
}
