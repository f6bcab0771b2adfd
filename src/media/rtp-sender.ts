import { randomInt } from 'node:crypto';
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
import type { SrtpContext } from '../rtp/srtp-context.ts';
import { maxSrtpOverheadBytes } from '../rtp/srtp-limits.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { isStateless, silentSlot, slotMs } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';
import type { OwnEncoding } from './own-encoding.ts';
import { type Packetizer, type PayloadSink, packetizerFor } from './packetizer.ts';
import { encodingKey } from './shared-encodings.ts';

/** @param isSlot made of slots: its audio began its own length before the end of the slot */
export type SentTap = (header: Readonly<RtpHeader>, payload: Uint8Array, isSlot: boolean) => void;

/** The packet that follows in a stream. */
export interface SlotsAhead {
  readonly port: TransportPort;
  readonly payloadType: number;
  readonly sequenceNumber: SequenceNumber;
  readonly timestamp: RtpTimestamp;
  readonly ssrc: number;
}

/** The longest packet of Opus (RFC 7587); beyond it the source's clock is not ours. */
const maxAheadSlots = 6;

const noSamples = new Int16Array(0);
/** By length; for all legs. */
const silences = new Map<number, Int16Array>();

function silenceOf(samples: number): Int16Array {
  let silence = silences.get(samples);
  if (!silence) silences.set(samples, (silence = new Int16Array(samples)));
  return silence;
}

/**
 * Our RTP stream to one peer: one SSRC as long as its clock rate stays (RFC 7160 section 4.1), sequence and timestamp
 * that go on through changes of format and address, the marker bit after every pause. Takes one slot of 20 ms at a
 * time and makes packets of the negotiated length; or sends whole packets of another origin in between.
 */
export class RtpSender implements PayloadSink {
  readonly #header = {
    marker: true,
    payloadType: 0,
    sequenceNumber: toSequenceNumber(randomInt(32_768)),
    timestamp: toRtpTimestamp(randomInt(2 ** 32)),
    ssrc: toSsrc(randomInt(2 ** 32)),
  };
  readonly port: TransportPort;
  /** Told of every packet, after it was sent. */
  tap: SentTap | undefined;
  #srtp: SrtpContext | undefined;
  #format: NegotiatedCodec | undefined;
  #packetizer: Packetizer | undefined;
  #packetizerKey = '';
  #ptimeMs = slotMs;
  #slotTicks = 0;
  #silence: Int16Array = noSamples;
  /** End of the packets that were no slots. */
  #packetsEnd: RtpTimestamp | undefined;
  #address = '';
  #remotePort = 0;
  #packets = 0;
  #bytes = 0;
  #streamPackets = 0;
  #streamBytes = 0;

  constructor(port: TransportPort) {
    this.port = port;
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  /** Of all streams. */
  get packets(): number {
    return this.#packets;
  }

  /** Payload of all streams. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Under this SSRC, as a sender report has them. */
  get streamPackets(): number {
    return this.#streamPackets;
  }

  get streamBytes(): number {
    return this.#streamBytes;
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

  get slotTicks(): number {
    return this.#slotTicks;
  }

  /**
   * Whether packets that were no slots reach beyond the next slot. It is left out then: sent behind them, it and all
   * slots after it would be late by as much, and more at every change.
   */
  get isAhead(): boolean {
    if (this.#packetsEnd === undefined) return false;
    const ahead = timestampDelta(this.#packetsEnd, this.#header.timestamp);
    return ahead >= this.#slotTicks && ahead <= maxAheadSlots * this.#slotTicks;
  }

  /** Undefined before the first `setFormat`. */
  get format(): NegotiatedCodec | undefined {
    return this.#format;
  }

  /** Whether `send` takes slots of this format. */
  get takesEncoded(): boolean {
    return this.#packetizer?.takesEncoded ?? false;
  }

  /** By which slots of samples are encoded; undefined before the first `setFormat`. */
  get encoding(): OwnEncoding | undefined {
    return this.#packetizer?.encoding;
  }

  /** @throws CallreelError NO_COMMON_CODEC; nothing was changed then */
  setFormat(format: NegotiatedCodec, ptimeMs: number): void {
    const key = `${encodingKey(format)} ${ptimeMs}`;
    // The same again, as in a session refresh, goes on with what the encoder remembers.
    if (this.#packetizer && key === this.#packetizerKey) {
      this.#format = format;
      this.#header.payloadType = format.payloadType;
      return;
    }
    const packetizer = packetizerFor(format, ptimeMs);
    this.#dropPending();
    this.#packetizerKey = key;
    if (this.#format && this.#format.clockRateHz !== format.clockRateHz) this.#beginStream();
    this.#packetizer = packetizer;
    this.#ptimeMs = ptimeMs;
    this.#format = format;
    this.#header.payloadType = format.payloadType;
    this.#slotTicks = (format.clockRateHz * slotMs) / 1000;
    this.#silence = silenceOf((packetizer.encoding.rateHz * slotMs) / 1000);
  }

  /** What is encoded from here on has nothing of what was encoded before. */
  renewEncoder(): void {
    if (!this.#format || isStateless(this.#format.codec)) return;
    this.#dropPending();
    this.#packetizer = packetizerFor(this.#format, this.#ptimeMs);
  }

  /** From now on packets leave as SRTP, or as plain RTP. A new key comes with `renew`: it is given another SSRC. */
  protect(srtp: SrtpContext | undefined, renew: boolean): void {
    this.#srtp = srtp;
    if (renew) this.#beginStream();
  }

  /** Encodes and sends the next slot. */
  sendSamples(samples: Int16Array, address: string, port: number): void {
    this.#beginSlot(address, port);
    this.#packetizer?.pushSamples(samples, this);
  }

  /** Sends the next slot, encoded already; packets go out as soon as they are complete. */
  send(slot: Uint8Array, address: string, port: number): void {
    this.#beginSlot(address, port);
    this.#packetizer?.pushEncoded(slot, this);
  }

  sendSilence(address: string, port: number): void {
    const format = this.#format;
    if (format && isStateless(format.codec)) this.send(silentSlot(format), address, port);
    else this.sendSamples(this.#silence, address, port);
  }

  /**
   * Sends a packet that was made elsewhere, in its own place of the stream; the SSRC is ours. The slots go on behind it.
   * `skip` says that their time passes meanwhile.
   */
  sendPacket(header: RtpHeader, payload: Uint8Array, ticks: number, address: string, port: number): void {
    header.ssrc = this.#header.ssrc;
    this.#transmit(header, payload, address, port);
    this.tap?.(header, payload, false);
    const next = toSequenceNumber(header.sequenceNumber + 1);
    if (sequenceDelta(next, this.#header.sequenceNumber) > 0) this.#header.sequenceNumber = next;
    const end = toRtpTimestamp(header.timestamp + ticks);
    if (this.#packetsEnd === undefined || timestampDelta(end, this.#packetsEnd) > 0) this.#packetsEnd = end;
  }

  /** Whether it has sent packets up to this number and time, in clear, and nothing behind them. */
  endsWith(next: SequenceNumber, end: RtpTimestamp): boolean {
    return !this.#srtp && next === this.#header.sequenceNumber && end === this.#packetsEnd;
  }

  /** So many packets more, of so many ticks each, were sent behind those by who has `port`. */
  wentOn(packets: number, payloadBytes: number, ticks: number): void {
    const header = this.#header;
    header.sequenceNumber = addToSequence(header.sequenceNumber, packets);
    this.#packetsEnd = addToTimestamp(this.#packetsEnd ?? header.timestamp, packets * ticks);
    this.#packets += packets;
    this.#streamPackets += packets;
    this.#bytes += payloadBytes;
    this.#streamBytes += payloadBytes;
  }

  /** How the next slots are sent, each as a packet in clear, where nothing is in their way; undefined: not so. */
  slotsAhead(): SlotsAhead | undefined {
    const { payloadType, marker, sequenceNumber, timestamp, ssrc } = this.#header;
    const isWhole = this.#ptimeMs === slotMs && this.#packetizer?.pendingTicks === 0;
    if (this.#srtp || marker || !isWhole || this.#packetsEnd !== undefined) return undefined;
    return { port: this.port, payloadType, sequenceNumber, timestamp, ssrc };
  }

  /** So many slots, of so many bytes each, were sent behind those by who asked. */
  slotsWentOn(slots: number, slotBytes: number): void {
    const header = this.#header;
    header.sequenceNumber = addToSequence(header.sequenceNumber, slots);
    header.timestamp = addToTimestamp(header.timestamp, slots * this.#slotTicks);
    this.#packets += slots;
    this.#streamPackets += slots;
    this.#bytes += slots * slotBytes;
    this.#streamBytes += slots * slotBytes;
  }

  /** A packet that says nothing, so that bindings on the way stay open (RFC 6263 section 4). */
  sendKeepAlive(payloadType: number | undefined, payload: Uint8Array, address: string, port: number): void {
    const header = this.#header;
    const { payloadType: usual, marker } = header;
    header.payloadType = payloadType ?? usual;
    header.marker = false;
    this.#transmit(header, payload, address, port);
    header.payloadType = usual;
    header.marker = marker;
    header.sequenceNumber = addToSequence(header.sequenceNumber, 1);
  }

  /** Sends what is pending as a shorter packet, so that nothing is lost where something else comes between. */
  flush(address: string, port: number): void {
    this.#address = address;
    this.#remotePort = port;
    this.#packetizer?.flush(this);
  }

  /** Lets time pass without sending; what was pending is dropped, and the next slot begins a packet with the marker. */
  skip(slots: number): void {
    this.#dropPending();
    this.pause(slots * this.#slotTicks);
  }

  /** A finished payload, from the packetizer. */
  payload(bytes: Uint8Array, ticks: number): void {
    const header = this.#header;
    this.#transmit(header, bytes, this.#address, this.#remotePort);
    this.tap?.(header, bytes, true);
    header.sequenceNumber = addToSequence(header.sequenceNumber, 1);
    header.timestamp = addToTimestamp(header.timestamp, ticks);
    header.marker = false;
  }

  pause(ticks: number): void {
    this.#header.timestamp = addToTimestamp(this.#header.timestamp, ticks);
    this.#header.marker = true;
  }

  #beginSlot(address: string, port: number): void {
    this.#address = address;
    this.#remotePort = port;
    if (this.#packetsEnd === undefined) return;
    this.#header.timestamp = this.nextTimestamp;
    this.#packetsEnd = undefined;
  }

  /** Every packet of the stream goes out here. */
  #transmit(header: RtpHeader, payload: Uint8Array, address: string, port: number): void {
    const bytes = rtpHeaderBytes + payload.length;
    const srtp = this.#srtp;
    const datagram = this.port.reserve(srtp ? bytes + maxSrtpOverheadBytes : bytes);
    writeRtpHeader(datagram, header);
    datagram.set(payload, rtpHeaderBytes);
    const sentBytes = srtp ? srtp.protectRtp(datagram, bytes) : bytes;
    if (sentBytes < 0) return;
    this.port.commit(sentBytes, address, port);
    this.#packets++;
    this.#streamPackets++;
    this.#bytes += payload.length;
    this.#streamBytes += payload.length;
  }

  /** The timestamp counts what was pending, sent or not. */
  #dropPending(): void {
    const ticks = this.#packetizer?.pendingTicks ?? 0;
    if (ticks > 0) this.#header.timestamp = addToTimestamp(this.#header.timestamp, ticks);
    this.#packetizer?.drop();
  }

  /** Another clock: its numbers have nothing to do with the former ones. */
  #beginStream(): void {
    const header = this.#header;
    header.ssrc = toSsrc(randomInt(2 ** 32));
    header.sequenceNumber = toSequenceNumber(randomInt(32_768));
    header.timestamp = toRtpTimestamp(randomInt(2 ** 32));
    header.marker = true;
    this.#packetsEnd = undefined;
    this.#streamPackets = 0;
    this.#streamBytes = 0;
  }
}
