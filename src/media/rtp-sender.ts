import { randomInt } from 'node:crypto';
import type { CodecName, Encoder } from '../codec/codec.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { addToSequence, addToTimestamp, toRtpTimestamp, toSequenceNumber, toSsrc } from '../rtp/sequence.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { encoderFor, silentSlot, slotMs, slotSamples } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';

/**
 * Our RTP stream to one peer: one SSRC for the leg's whole life, sequence and timestamp that go on through changes of
 * format and address, the marker bit after every pause. Takes one slot of 20 ms at a time and makes packets of the
 * negotiated length.
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

  constructor(port: TransportPort) {
    this.#port = port;
  }

  get ssrc(): number {
    return this.#header.ssrc;
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
    let from = 0;
    while (from < slot.length) {
      const to = Math.min(slot.length, from + this.#pending.length - this.#pendingBytes);
      this.#pending.set(slot.subarray(from, to), this.#pendingBytes);
      this.#pendingBytes += to - from;
      from = to;
      if (this.#pendingBytes === this.#pending.length) this.#sendPending(address, port);
    }
  }

  /** Lets time pass without sending. */
  skip(slots: number): void {
    this.#dropPending();
    this.#header.timestamp = addToTimestamp(this.#header.timestamp, slots * this.#slotTicks);
    this.#header.marker = true;
  }

  #sendPending(address: string, port: number): void {
    const header = this.#header;
    const datagram = this.#port.reserve(rtpHeaderBytes + this.#pendingBytes);
    writeRtpHeader(datagram, header);
    datagram.set(this.#pending, rtpHeaderBytes);
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
