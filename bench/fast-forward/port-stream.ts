import { RtpPacketView, RtpParser, rtpHeaderBytes, writeRtpHeader } from '../../src/rtp/packet.ts';
import type { Datagram, DatagramSink } from '../../src/rtp/transport.ts';

/** Ten seconds in packets of 20 ms: what a phone said is said again and again. */
const keptFrames = 500;
const slotUs = 20_000;
/** A stream goes on where it was, however late its last packets were sent or taken; one that rested longer begins anew. */
const longestCatchUpUs = 1_000_000;

/**
 * What one port receives. While time is driven the stream of its phone goes on here, with the words that the phone had
 * said; what the phone itself sends afterwards follows without a gap in sequence numbers and RTP time.
 */
export class PortStream implements DatagramSink {
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
  #last = { sequenceNumber: 0, timestamp: 0, ssrc: 0, payloadType: 0, marker: false };
  #lastUs = 0;
  #ticksPerSlot = 160;
  /** By its own packets; an arrival is never less than the least delay behind it. */
  #streamUs = 0;
  #leastDelayUs = 0;
  #shift = { sequenceNumber: 0, timestamp: 0 };
  #follows = false;

  constructor(sink: DatagramSink) {
    this.#sink = sink;
  }

  receive(datagram: Datagram): void {
    if (!this.#parser.parse(datagram.data, this.#view)) {
      this.#sink.receive(datagram);
      return;
    }
    if (this.#follows) this.#follow(datagram.arrivalUs);
    this.#rewrite(datagram.data);
    this.#keep(datagram);
    this.#sink.receive(datagram);
  }

  /** When its next packet comes; never, where no phone has spoken. */
  get dueUs(): number {
    return this.#frames.length === 0 ? Number.POSITIVE_INFINITY : this.#lastUs + slotUs;
  }

  /** Its stream begins to be made. */
  begin(nowUs: number): void {
    this.#nextFrame = 0;
    this.#lastUs = Math.max(this.#streamUs + this.#leastDelayUs, nowUs - longestCatchUpUs);
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

  /** The first packet of the phone itself since then: its numbers go on from those made here. */
  #follow(arrivalUs: number): void {
    const slots = Math.max(1, Math.round((arrivalUs - this.#lastUs) / slotUs));
    const { sequenceNumber, timestamp } = this.#view;
    this.#shift = {
      sequenceNumber: this.#last.sequenceNumber + 1 - sequenceNumber,
      timestamp: this.#last.timestamp + slots * this.#ticksPerSlot - timestamp,
    };
    this.#follows = false;
  }

  #rewrite(data: Uint8Array): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    view.setUint16(2, (this.#view.sequenceNumber + this.#shift.sequenceNumber) & 0xffff);
    view.setUint32(4, (this.#view.timestamp + this.#shift.timestamp) >>> 0);
    this.#parser.parse(data, this.#view);
  }

  #keep({ arrivalUs, sourceAddress, sourcePort }: Datagram): void {
    const { sequenceNumber, timestamp, ssrc, payloadType, marker } = this.#view;
    const isNext = ((sequenceNumber - this.#last.sequenceNumber) & 0xffff) === 1;
    const ticks = (timestamp - this.#last.timestamp) >>> 0;
    const goesOn = isNext && ssrc === this.#last.ssrc;
    if (goesOn && ticks > 0 && ticks <= 2880) this.#ticksPerSlot = ticks;
    this.#last = { sequenceNumber, timestamp, ssrc, payloadType, marker };
    this.#lastUs = arrivalUs;
    this.#streamUs += slotUs;
    const delayUs = arrivalUs - this.#streamUs;
    this.#leastDelayUs = goesOn ? Math.min(this.#leastDelayUs, delayUs) : delayUs;
    this.#made.sourceAddress = sourceAddress;
    this.#made.sourcePort = sourcePort;
    this.#frames.push(this.#view.payload().slice());
    if (this.#frames.length > keptFrames) this.#frames.shift();
  }
}
