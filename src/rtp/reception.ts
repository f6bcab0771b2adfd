import {
  ExtendedSequence,
  type RtpTimestamp,
  type SequenceNumber,
  timestampDelta,
  toRtpTimestamp,
  toSequenceNumber,
} from './sequence.ts';

/** A step further than this is a new beginning of the source (RFC 3550 appendix A.1). */
const maxDropout = 3000;
/** Numbers below the highest for which a second packet is known as a duplicate. */
const historyPackets = 512;
const wordBits = 32;

/** Packets that came one after the other, each with the next number and later by as many ticks as it has bytes. */
interface ReceivedSeries {
  readonly count: number;
  /** Of the first. */
  readonly sequenceNumber: number;
  readonly rtpTime: number;
  readonly payloadBytes: number;
  arrivalUs(index: number): number;
}

/**
 * One received stream as RFC 3550 counts it: expected and lost packets (appendix A.3), interarrival jitter (A.8).
 * Counters go on over a new beginning of the source; `ssrc` tells which it is.
 */
export class Reception {
  ssrc = -1;
  packets = 0;
  bytes = 0;
  duplicates = 0;
  reordered = 0;
  /** New beginnings under another SSRC. */
  ssrcChanges = 0;
  /** In seconds. */
  mostJitter = 0;
  #clockRateHz = 8000;
  /** In units of RTP time. */
  #jitter = 0;
  readonly #sequence = new ExtendedSequence();
  /** A bit for each of the last numbers: one that came. */
  readonly #seen = new Uint32Array(historyPackets / wordBits);
  #first = 0;
  #highest = -1;
  /** Of the sources and sequences before this one. */
  #expectedBefore = 0;
  #lastTime: RtpTimestamp = toRtpTimestamp(0);
  #lastArrivalUs = 0;
  #expectedAtReport = 0;
  #packetsAtReport = 0;

  get expected(): number {
    return this.#expectedBefore + (this.#highest < 0 ? 0 : this.#highest - this.#first + 1);
  }

  /** Duplicates make it smaller, as the RFC has it; may be negative. */
  get cumulativeLost(): number {
    return this.expected - this.packets;
  }

  /** Numbers that never came. */
  get lost(): number {
    return Math.max(0, this.expected - (this.packets - this.duplicates));
  }

  /** In units of RTP time, as a report block has it. */
  get jitterTicks(): number {
    return Math.floor(this.#jitter);
  }

  /** In seconds. */
  get jitter(): number {
    return this.#jitter / this.#clockRateHz;
  }

  /** Highest number received, with how often it went round (section 6.4.1). */
  get highestSequence(): number {
    return Math.max(0, this.#highest) >>> 0;
  }

  /**
   * @param timed whether RTP time and arrival may be compared: not for the packets of a key press, which all carry the
   *   time of its beginning
   */
  receive(
    ssrc: number,
    sequenceNumber: SequenceNumber,
    rtpTime: RtpTimestamp,
    clockRateHz: number,
    arrivalUs: number,
    bytes: number,
    timed: boolean,
  ): void {
    this.packets++;
    this.bytes += bytes;
    const isNew = ssrc !== this.ssrc;
    if (isNew && this.ssrc >= 0) this.ssrcChanges++;
    let extended = isNew ? -1 : this.#sequence.extend(sequenceNumber);
    if (isNew || Math.abs(extended - this.#highest) > maxDropout) {
      this.ssrc = ssrc;
      this.#begin(sequenceNumber, clockRateHz);
      extended = this.#highest;
      this.#lastArrivalUs = 0;
    } else if (extended > this.#highest) this.#advanceTo(extended);
    else if (!this.#countOld(extended)) return;
    this.#see(extended);
    if (timed) this.#observe(rtpTime, clockRateHz, arrivalUs);
  }

  /** As `receive` of each packet of a series. @param bytes of each */
  receiveSeries(ssrc: number, clockRateHz: number, series: ReceivedSeries, bytes: number): void {
    const { count, payloadBytes: ticks } = series;
    const first = this.#highest + 1;
    const goesOn = ssrc === this.ssrc && this.#highest >= 0 && clockRateHz === this.#clockRateHz;
    if (!goesOn || toSequenceNumber(first) !== series.sequenceNumber || this.#lastArrivalUs <= 0) {
      for (let i = 0; i < count; i++) {
        const number = toSequenceNumber(series.sequenceNumber + i);
        const rtpTime = toRtpTimestamp(series.rtpTime + i * ticks);
        this.receive(ssrc, number, rtpTime, clockRateHz, series.arrivalUs(i), bytes, true);
      }
      return;
    }
    this.packets += count;
    this.bytes += count * bytes;
    this.#highest += count;
    this.#sequence.extend(toSequenceNumber(this.#highest));
    for (let number = first; number <= this.#highest; number++)
      this.#seen[wordOf(number)]! |= 1 << (number & (wordBits - 1));
    let said = timestampDelta(toRtpTimestamp(series.rtpTime), this.#lastTime);
    let lastUs = this.#lastArrivalUs;
    let jitter = this.#jitter;
    let most = 0;
    for (let i = 0; i < count; i++, said = ticks) {
      const arrivalUs = series.arrivalUs(i);
      const distance = Math.abs(((arrivalUs - lastUs) * clockRateHz) / 1_000_000 - said);
      if (distance < clockRateHz) jitter += (distance - jitter) / 16;
      most = Math.max(most, jitter);
      lastUs = arrivalUs;
    }
    this.#jitter = jitter;
    this.mostJitter = Math.max(this.mostJitter, most / clockRateHz);
    this.#lastArrivalUs = lastUs;
    this.#lastTime = toRtpTimestamp(series.rtpTime + (count - 1) * ticks);
  }

  /** 0..255: lost of 256 since this was asked before (appendix A.3). */
  takeFractionLost(): number {
    const expected = this.expected - this.#expectedAtReport;
    const lost = expected - (this.packets - this.#packetsAtReport);
    this.#expectedAtReport = this.expected;
    this.#packetsAtReport = this.packets;
    return expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected));
  }

  #begin(sequenceNumber: SequenceNumber, clockRateHz: number): void {
    this.#expectedBefore = this.expected;
    this.#sequence.reset();
    this.#first = this.#highest = this.#sequence.extend(sequenceNumber);
    this.#seen.fill(0);
    this.#jitter = 0;
    this.#clockRateHz = clockRateHz;
  }

  /** The numbers between did not come, not yet. */
  #advanceTo(extended: number): void {
    const from = Math.max(this.#highest + 1, extended - historyPackets);
    for (let number = from; number < extended; number++)
      this.#seen[wordOf(number)]! &= ~(1 << (number & (wordBits - 1)));
    this.#highest = extended;
  }

  #see(extended: number): void {
    if (this.#isRecent(extended)) this.#seen[wordOf(extended)]! |= 1 << (extended & (wordBits - 1));
  }

  #isRecent(extended: number): boolean {
    return this.#highest - extended < historyPackets;
  }

  /** @returns false for a duplicate */
  #countOld(extended: number): boolean {
    const seen = this.#seen[wordOf(extended)]! & (1 << (extended & (wordBits - 1)));
    if (seen !== 0 && this.#isRecent(extended)) {
      this.duplicates++;
      return false;
    }
    this.reordered++;
    if (extended < this.#first) this.#first = extended;
    return true;
  }

  #observe(rtpTime: RtpTimestamp, clockRateHz: number, arrivalUs: number): void {
    if (clockRateHz !== this.#clockRateHz) {
      this.#jitter = (this.#jitter * clockRateHz) / this.#clockRateHz;
      this.#clockRateHz = clockRateHz;
      this.#lastArrivalUs = 0;
    }
    if (this.#lastArrivalUs > 0) {
      const elapsedTicks = ((arrivalUs - this.#lastArrivalUs) * clockRateHz) / 1_000_000;
      const distance = Math.abs(elapsedTicks - timestampDelta(rtpTime, this.#lastTime));
      // A sender whose time stood still or jumped is not late: seconds are no jitter.
      if (distance < clockRateHz) this.#jitter += (distance - this.#jitter) / 16;
      this.mostJitter = Math.max(this.mostJitter, this.jitter);
    }
    this.#lastArrivalUs = arrivalUs;
    this.#lastTime = rtpTime;
  }
}

function wordOf(number: number): number {
  return (number & (historyPackets - 1)) >>> 5;
}
