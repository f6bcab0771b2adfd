import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../../src/rtp/packet.ts';
import type { Datagram, DatagramSink } from '../../src/rtp/transport.ts';

/** Ten seconds in packets of 20 ms: what a phone said is said again and again. */
const keptFrames = 500;
const slotUs = 20_000;
/** A phone that rested for longer begins anew. */
const longestRestUs = 1_000_000;

/**
 * What one port receives. While time is driven the stream of its phone goes on here, with the words that the phone had
 * said; what the phone itself sends afterwards follows without a gap in sequence numbers and RTP time, and its arrivals
 * go on where they were: a step of some milliseconds would be taken for a clock that drifts.
 */
export class PortStream {
  /** When anything came last, by the machine's time. */
  heardUs = Number.NEGATIVE_INFINITY;
  readonly #sink: DatagramSink;
  readonly #parser = new RtpParser();
  readonly #view = new RtpPacketView();
  readonly #frames: Uint8Array[] = [];
  readonly #made: Datagram = {
    data: new Uint8Array(0),
    arrivalUs: 0,
    sourceAddress: '',
    sourcePort: 0,
  };
  #buffer = new Uint8Array(2048);
  #nextFrame = 0;
  #heardTimestamp = 0;
  #last = { sequenceNumber: 0, timestamp: 0, ssrc: 0, payloadType: 0, marker: false };
  /** When it would have come without delay. */
  #lastUs = 0;
  #ticksPerSlot = 160;
  readonly #pace = new Pace();
  #shift = { sequenceNumber: 0, timestamp: 0, arrivalUs: 0 };
  #follows = false;

  constructor(sink: DatagramSink) {
    this.#sink = sink;
  }

  /** @param aheadUs how far `arrivalUs` is ahead of the machine's time */
  receive(datagram: Datagram, aheadUs: number): void {
    if (!this.#parser.parse(datagram.data, this.#view)) {
      this.#sink.receive(datagram);
      return;
    }
    const slots = ((this.#view.timestamp - this.#heardTimestamp) | 0) / this.#ticksPerSlot;
    this.#heardTimestamp = this.#view.timestamp;
    const lateUs = this.#pace.latenessUs(slots * slotUs, datagram.arrivalUs - aheadUs);
    if (this.#follows && !this.#follow(datagram.arrivalUs - lateUs)) return;
    datagram.arrivalUs += this.#shift.arrivalUs;
    this.#rewrite(datagram.data);
    this.#keep(datagram, datagram.arrivalUs - lateUs);
    this.#sink.receive(datagram);
  }

  /** When its next packet comes; never, where no phone has spoken. */
  get dueUs(): number {
    return this.#frames.length === 0 ? Number.POSITIVE_INFINITY : this.#lastUs + slotUs;
  }

  /** Its stream begins to be made. */
  begin(nowUs: number): void {
    this.#nextFrame = 0;
    if (nowUs - this.#lastUs > longestRestUs) this.#lastUs = nowUs - slotUs;
    this.#follows = this.#frames.length > 0;
  }

  /** Makes the packet that is due. */
  make(): void {
    const frame = this.#frames[this.#nextFrame++ % this.#frames.length]!;
    const last = this.#last;
    last.sequenceNumber = (last.sequenceNumber + 1) & 0xffff;
    last.timestamp = (last.timestamp + this.#ticksPerSlot) >>> 0;
    last.marker = false;
    this.#lastUs += slotUs;
    const bytes = rtpHeaderBytes + frame.length;
    writeRtpHeader(this.#buffer, last);
    this.#buffer.set(frame, rtpHeaderBytes);
    this.#made.data = this.#buffer.subarray(0, bytes);
    this.#made.arrivalUs = this.#lastUs;
    this.#sink.receive(this.#made);
  }

  /**
   * The first packet of the phone itself since then: its numbers and its arrival go on from those made here.
   * @returns false for one that was on its way while they were made
   */
  #follow(arrivalUs: number): boolean {
    const aheadUs = arrivalUs - this.#lastUs - slotUs;
    if (aheadUs < 0) return false;
    const restSlots = aheadUs > longestRestUs ? Math.floor(aheadUs / slotUs) : 0;
    const { sequenceNumber, timestamp } = this.#view;
    this.#shift = {
      sequenceNumber: this.#last.sequenceNumber + 1 - sequenceNumber,
      timestamp: this.#last.timestamp + (1 + restSlots) * this.#ticksPerSlot - timestamp,
      arrivalUs: restSlots * slotUs - aheadUs,
    };
    this.#follows = false;
    return true;
  }

  #rewrite(data: Uint8Array): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    view.setUint16(2, (this.#view.sequenceNumber + this.#shift.sequenceNumber) & 0xffff);
    view.setUint32(4, (this.#view.timestamp + this.#shift.timestamp) >>> 0);
    this.#parser.parse(data, this.#view);
  }

  #keep({ sourceAddress, sourcePort }: Datagram, inTimeUs: number): void {
    const { sequenceNumber, timestamp, ssrc, payloadType, marker } = this.#view;
    const isNext = ((sequenceNumber - this.#last.sequenceNumber) & 0xffff) === 1;
    const ticks = (timestamp - this.#last.timestamp) >>> 0;
    if (isNext && ssrc === this.#last.ssrc && ticks > 0 && ticks <= 2880) this.#ticksPerSlot = ticks;
    this.#last = { sequenceNumber, timestamp, ssrc, payloadType, marker };
    this.#lastUs = inTimeUs;
    this.#made.sourceAddress = sourceAddress;
    this.#made.sourcePort = sourcePort;
    this.#frames.push(this.#view.payload().slice());
    if (this.#frames.length > keptFrames) this.#frames.shift();
  }
}

/** How late packets of a phone come, against the fastest of them. */
class Pace {
  #leastLagUs = 0;
  #streamUs = Number.NEGATIVE_INFINITY;

  /** @param stepUs from the packet before to this one, by the phone's own clock */
  latenessUs(stepUs: number, arrivalUs: number): number {
    const lagUs = arrivalUs - this.#streamUs - stepUs;
    this.#streamUs += stepUs;
    const rested = !(lagUs - this.#leastLagUs < longestRestUs);
    if (rested) {
      this.#streamUs = arrivalUs;
      this.#leastLagUs = 0;
      return 0;
    }
    this.#leastLagUs = Math.min(this.#leastLagUs, lagUs);
    return lagUs - this.#leastLagUs;
  }
}
