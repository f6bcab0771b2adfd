import { randomInt } from 'node:crypto';
import type { CodecName, Encoder } from '../codec/codec.ts';
import { type RtpHeader, rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import {
  addToSequence,
  addToTimestamp,
  type RtpTimestamp,
  type SequenceNumber,
  sequenceDelta,
  timestampDelta,
  toRtpTimestamp,
  toSequenceNumber,
  toSsrc,
} from '../rtp/sequence.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { encoderFor, silentSlot, slotMs, slotSamples } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';

/**
 * Our RTP stream to one peer: one SSRC for the leg's whole life, sequence and timestamp that go on through changes of
 * format and address, the marker bit after every pause. Takes one slot of 20 ms at a time and makes packets of the
 * negotiated length; or sends whole packets of another origin in between.
 */
export class RtpSender {
  readonly #header = {
    marker: true,
    payloadType: 0,
    sequenceNumber: toSequenceNumber(randomInt(65_536)),
    timestamp: toRtpTimestamp(randomInt(2 ** 32)),
    ssrc: toSsrc(randomInt(2 ** 32)),
  };
  readonly #port: TransportPort;
  #codec: CodecName | undefined;
  #encoder: Encoder | undefined;
  #slotTicks = 0;
  #ptimeMs = slotMs;
  readonly #slot = new Uint8Array(slotSamples);
  /** Bytes of the packet in the making. */
  #pending = new Uint8Array(0);
  #pendingBytes = 0;
  /** End of the packets that were no slots. */
  #packetsEnd: RtpTimestamp | undefined;

  constructor(port: TransportPort) {
    this.#port = port;
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  /** Above every number used so far. */
  get nextSequenceNumber(): SequenceNumber {
    return this.#header.sequenceNumber;
  }

  /** Where the stream goes on, once nothing is pending. */
  get nextTimestamp(): RtpTimestamp {
    const { timestamp } = this.#header;
    const end = this.#packetsEnd;
    return end !== undefined && timestampDelta(end, timestamp) > 0 ? end : timestamp;
  }

  /** The time that the slots keep, whatever packets go out between them. */
  get slotTimestamp(): RtpTimestamp {
    return this.#header.timestamp;
  }

  /** Undefined before the first `setFormat`. */
  get codec(): CodecName | undefined {
    return this.#codec;
  }

  /** @throws CallreelError NO_COMMON_CODEC; nothing was changed then */
  setFormat(format: NegotiatedCodec, ptimeMs: number): void {
    this.#encoder = encoderFor(format);
    this.#dropPending();
    this.#codec = format.codec;
    this.#header.payloadType = format.payloadType;
    this.#slotTicks = (format.clockRateHz * slotMs) / 1000;
    this.#ptimeMs = ptimeMs;
    this.#pending = new Uint8Array((silentSlot(format.codec).length * ptimeMs) / slotMs);
  }

  /** Encodes and sends the next slot. */
  sendSamples(samples: Int16Array, address: string, port: number): void {
    if (!this.#encoder) return;
    const bytes = this.#encoder.encode(samples, this.#slot);
    this.send(bytes === this.#slot.length ? this.#slot : this.#slot.subarray(0, bytes), address, port);
  }

  /** Sends the next slot, encoded already; packets go out as soon as they are complete. */
  send(slot: Uint8Array, address: string, port: number): void {
    if (!this.#codec) return;
    if (this.#packetsEnd !== undefined) {
      this.#header.timestamp = this.nextTimestamp;
      this.#packetsEnd = undefined;
    }
    let from = 0;
    while (from < slot.length) {
      const to = Math.min(slot.length, from + this.#pending.length - this.#pendingBytes);
      this.#pending.set(slot.subarray(from, to), this.#pendingBytes);
      this.#pendingBytes += to - from;
      from = to;
      if (this.#pendingBytes === this.#pending.length) this.#sendPending(address, port);
    }
  }

  /**
   * Sends a packet that was made elsewhere, in its own place of the stream; the SSRC is ours. The slots go on behind it.
   * `skip` says that their time passes meanwhile.
   */
  sendPacket(header: RtpHeader, payload: Uint8Array, ticks: number, address: string, port: number): void {
    header.ssrc = this.#header.ssrc;
    const bytes = rtpHeaderBytes + payload.length;
    const datagram = this.#port.reserve(bytes);
    writeRtpHeader(datagram, header);
    datagram.set(payload, rtpHeaderBytes);
    this.#port.commit(bytes, address, port);
    const next = toSequenceNumber(header.sequenceNumber + 1);
    if (sequenceDelta(next, this.#header.sequenceNumber) > 0) this.#header.sequenceNumber = next;
    const end = toRtpTimestamp(header.timestamp + ticks);
    if (this.#packetsEnd === undefined || timestampDelta(end, this.#packetsEnd) > 0) this.#packetsEnd = end;
  }

  /** Sends what is pending as a shorter packet, so that nothing is lost where something else comes between. */
  flush(address: string, port: number): void {
    if (this.#pendingBytes > 0) this.#sendPending(address, port);
  }

  /** Lets time pass without sending; what was pending is dropped, and the next slot begins a packet with the marker. */
  skip(slots: number): void {
    this.#dropPending();
    this.#header.timestamp = addToTimestamp(this.#header.timestamp, slots * this.#slotTicks);
    this.#header.marker = true;
  }

  #sendPending(address: string, port: number): void {
    const header = this.#header;
    const datagram = this.#port.reserve(rtpHeaderBytes + this.#pendingBytes);
    writeRtpHeader(datagram, header);
    const whole = this.#pendingBytes === this.#pending.length;
    datagram.set(whole ? this.#pending : this.#pending.subarray(0, this.#pendingBytes), rtpHeaderBytes);
    this.#port.commit(rtpHeaderBytes + this.#pendingBytes, address, port);
    header.sequenceNumber = addToSequence(header.sequenceNumber, 1);
    header.marker = false;
    this.#advancePending();
  }

  #dropPending(): void {
    if (this.#pendingBytes > 0) this.#advancePending();
  }

  /** The timestamp counts what was pending, sent or not. */
  #advancePending(): void {
    const ptimeTicks = (this.#slotTicks * this.#ptimeMs) / slotMs;
    const ticks = (ptimeTicks * this.#pendingBytes) / this.#pending.length;
    this.#header.timestamp = addToTimestamp(this.#header.timestamp, ticks);
    this.#pendingBytes = 0;
  }
}
