/**
 * Arithmetic on the wrapping counters of RTP (RFC 3550 section 5.1). The brands keep a 16-bit sequence number, a
 * 32-bit timestamp and ordinary numbers from being mixed; nothing else subtracts two of them.
 */
declare const kind: unique symbol;

export type SequenceNumber = number & { readonly [kind]: 'SequenceNumber' };
export type RtpTimestamp = number & { readonly [kind]: 'RtpTimestamp' };
export type Ssrc = number & { readonly [kind]: 'Ssrc' };

/** The low 16 bits of any integer. */
export function toSequenceNumber(value: number): SequenceNumber {
  return (value & 0xffff) as SequenceNumber;
}

/** The low 32 bits of any integer up to 2^53 in size. */
export function toRtpTimestamp(value: number): RtpTimestamp {
  return (value >>> 0) as RtpTimestamp;
}

export function toSsrc(value: number): Ssrc {
  return (value >>> 0) as Ssrc;
}

/** How far `later` lies ahead of `earlier`: -32768..32767; exactly half way round counts as behind. */
export function sequenceDelta(later: SequenceNumber, earlier: SequenceNumber): number {
  return ((later - earlier) << 16) >> 16;
}

/** How far `later` lies ahead of `earlier`, in clock units: -2^31..2^31-1; exactly half way round counts as behind. */
export function timestampDelta(later: RtpTimestamp, earlier: RtpTimestamp): number {
  return (later - earlier) | 0;
}

export function addToSequence(from: SequenceNumber, packets: number): SequenceNumber {
  return toSequenceNumber(from + packets);
}

export function addToTimestamp(from: RtpTimestamp, units: number): RtpTimestamp {
  return toRtpTimestamp(from + units);
}

/**
 * Counts on past the wraps. The first value gives itself; later ones give the number nearest to the highest so far,
 * so that a packet out of order gets its true (smaller, possibly negative) place.
 */
export class ExtendedSequence {
  #highest: number | undefined;

  extend(value: SequenceNumber): number {
    if (this.#highest === undefined) return (this.#highest = value);
    const extended = this.#highest + sequenceDelta(value, toSequenceNumber(this.#highest));
    if (extended > this.#highest) this.#highest = extended;
    return extended;
  }

  /** Forgets everything: a new source. */
  reset(): void {
    this.#highest = undefined;
  }
}

/** As `ExtendedSequence`, for timestamps. */
export class ExtendedTimestamp {
  #highest: number | undefined;

  extend(value: RtpTimestamp): number {
    if (this.#highest === undefined) return (this.#highest = value);
    const extended = this.#highest + timestampDelta(value, toRtpTimestamp(this.#highest));
    if (extended > this.#highest) this.#highest = extended;
    return extended;
  }

  /** Forgets everything: a new source. */
  reset(): void {
    this.#highest = undefined;
  }
}
