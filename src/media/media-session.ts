import type { CodecName, Decoder } from '../codec/codec.ts';
import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { type KeyPress, TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import type { Datagram, DatagramSink, TransportPort } from '../rtp/transport.ts';
import type { CapturedPacket, CaptureSink, Stay } from './capture-sink.ts';
import { decoderFor, roomRateHz, silentSlot, slotSamples } from './codec-table.ts';
import type { LegNegotiate, NegotiatedCodec, WorkerEvent } from './control.ts';
import { type BufferedPacket, JitterBuffer } from './jitter-buffer.ts';
import { RtpSender } from './rtp-sender.ts';
import { SourceLatch } from './source-latch.ts';

export interface MediaSessionOptions {
  legId: string;
  capture: CaptureSink;
  post(event: WorkerEvent): void;
  /** The leave key was pressed: the stay is to end. */
  leaveKeyPressed(session: MediaSession): void;
}

/** Valid RTP that was not taken. */
export interface MediaSessionCounters {
  /** From another source than the one the leg is latched to. */
  strayPackets: number;
  unknownPayloadTypes: number;
  /** While the negotiated direction has nothing for us to receive. */
  unexpectedPackets: number;
}

interface ReceiveFormat extends NegotiatedCodec {
  decoder: Decoder;
}

/** What a phone signals that wants no media for now (RFC 3264 section 8.4, the older way to hold). */
const unspecifiedAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** More than the jitter buffer can hold. */
const maxPassedOverSlots = 64;

/**
 * The media of one leg. In: validates a datagram, holds its source to the latch, hands the packet at once to the
 * capture sink and to the room's jitter buffer while the leg is in a stay. Out: one slot of 20 ms at a time, to
 * wherever the peer's media comes from.
 */
export class MediaSession implements DatagramSink {
  readonly legId: string;
  readonly counters: MediaSessionCounters = { strayPackets: 0, unknownPayloadTypes: 0, unexpectedPackets: 0 };
  readonly #options: MediaSessionOptions;
  readonly #capture: CaptureSink;
  readonly #parser = new RtpParser();
  readonly #view = new RtpPacketView();
  readonly #latch = new SourceLatch();
  readonly #jitterBuffer = new JitterBuffer({ clockRateHz: roomRateHz, rateHz: roomRateHz });
  readonly #missedFrame = new Int16Array(slotSamples);
  readonly #packet: CapturedPacket & BufferedPacket = {
    codec: 'PCMU',
    payloadType: 0,
    clockRateHz: roomRateHz,
    ssrc: 0,
    sequenceNumber: toSequenceNumber(0),
    rtpTime: toRtpTimestamp(0),
    arrivalUs: 0,
    payload: new Uint8Array(0),
  };
  /** By payload type. */
  #formats: (ReceiveFormat | undefined)[] = [];
  #eventPayloadType = -1;
  #events: TelephoneEventReceiver | undefined;
  #eventClockRateHz = 0;
  #eventSsrc = 0;
  #receives = false;
  #sends = false;
  #heard = false;
  #stay: Stay | undefined;
  #leaveKey: string | undefined;
  #port: TransportPort | undefined;
  #sender: RtpSender | undefined;

  constructor(options: MediaSessionOptions) {
    this.legId = options.legId;
    this.#options = options;
    this.#capture = options.capture;
  }

  get stay(): Stay | undefined {
    return this.#stay;
  }

  get attached(): boolean {
    return this.#port !== undefined;
  }

  attach(port: TransportPort): void {
    this.#port = port;
    this.#sender = new RtpSender(port);
  }

  close(): void {
    this.#port?.close();
    this.#port = undefined;
    this.#sender = undefined;
  }

  /**
   * The first agreement or a later one; directions are ours.
   * @throws CallreelError NO_COMMON_CODEC; the former agreement then stays in force
   */
  negotiate({ remote, receive, send, ptimeMs, telephoneEvent, direction }: LegNegotiate): void {
    const formats: (ReceiveFormat | undefined)[] = [];
    for (const format of receive) formats[format.payloadType] = { ...format, decoder: decoderFor(format) };
    this.#sender?.setFormat(send, ptimeMs);
    this.#formats = formats;
    this.#eventPayloadType = telephoneEvent?.payloadType ?? -1;
    this.#useEventClock(telephoneEvent?.clockRateHz ?? 0);
    this.#receives = direction === 'sendrecv' || direction === 'recvonly';
    this.#sends = direction === 'sendrecv' || direction === 'sendonly';
    this.#latch.signal(remote && !unspecifiedAddresses.has(remote.address) ? remote : undefined);
  }

  enter(stay: Stay, leaveKey: string | undefined): void {
    this.#stay = stay;
    this.#leaveKey = leaveKey;
    this.#jitterBuffer.clear();
  }

  /** @returns the stay that ended */
  exit(): Stay | undefined {
    const stay = this.#stay;
    this.#stay = undefined;
    this.#leaveKey = undefined;
    return stay;
  }

  receive(datagram: Datagram): void {
    const view = this.#view;
    if (!this.#parser.parse(datagram.data, view)) return;
    const format = this.#formats[view.payloadType];
    if (!format && view.payloadType !== this.#eventPayloadType) {
      this.counters.unknownPayloadTypes++;
      return;
    }
    if (!this.#receives) {
      this.counters.unexpectedPackets++;
      return;
    }
    if (!this.#latch.accepts(datagram.sourceAddress, datagram.sourcePort, datagram.arrivalUs)) {
      this.counters.strayPackets++;
      return;
    }
    if (!this.#heard) this.#firstHeard(datagram);
    if (!format) this.#receiveEvent(datagram.arrivalUs);
    else if (this.#stay && view.payloadBytes > 0) this.#receiveAudio(format, this.#stay, datagram.arrivalUs);
  }

  /** The next frame for the room; false when there is none. */
  takeFrame(out: Int16Array): boolean {
    return this.#jitterBuffer.take(out);
  }

  /** What the room encodes for this leg; undefined while nothing is to be sent. */
  get sendCodec(): CodecName | undefined {
    return this.#sends && this.#latch.sendAddress !== '' ? this.#sender?.codec : undefined;
  }

  sendSamples(samples: Int16Array): void {
    this.#sender?.sendSamples(samples, this.#latch.sendAddress, this.#latch.sendPort);
  }

  sendSlot(payload: Uint8Array): void {
    this.#sender?.send(payload, this.#latch.sendAddress, this.#latch.sendPort);
  }

  sendSilence(): void {
    const codec = this.sendCodec;
    if (codec === undefined) this.skipSlots(1);
    else this.sendSlot(silentSlot(codec));
  }

  /** Nothing is sent in these slots, but their time passes. */
  skipSlots(slots: number): void {
    this.#sender?.skip(slots);
  }

  /** As `skipSlots`; what would have been played is passed over too. */
  missSlots(slots: number): void {
    this.skipSlots(slots);
    for (let i = 0; i < Math.min(slots, maxPassedOverSlots); i++) this.#jitterBuffer.take(this.#missedFrame);
  }

  /** Once a slot: a key press whose end never came is over. */
  expire(nowUs: number): void {
    this.#events?.expire(nowUs);
  }

  /** A session refresh in the middle of a key press must not report it twice, so the receiver stays where it can. */
  #useEventClock(clockRateHz: number): void {
    if (clockRateHz === this.#eventClockRateHz) return;
    this.#eventClockRateHz = clockRateHz;
    this.#events?.end();
    this.#events =
      clockRateHz > 0
        ? new TelephoneEventReceiver(clockRateHz, (press) => this.#keyPressed(press))
        : undefined;
  }

  #receiveEvent(arrivalUs: number): void {
    const view = this.#view;
    if (view.ssrc !== this.#eventSsrc) this.#events?.end();
    this.#eventSsrc = view.ssrc;
    this.#events?.receive(view.payload(), view.timestamp, arrivalUs);
  }

  #keyPressed({ digit, rtpTime, durationMs, arrivalUs }: KeyPress): void {
    if (this.#stay) this.#capture.digit(this.#stay, { digit, rtpTime, arrivalUs });
    this.#options.post({ event: 'leg.digit', legId: this.legId, digit, durationMs });
    if (this.#stay && digit === this.#leaveKey) this.#options.leaveKeyPressed(this);
  }

  #firstHeard({ sourceAddress, sourcePort }: Datagram): void {
    this.#heard = true;
    this.#options.post({ event: 'leg.media', legId: this.legId, address: sourceAddress, port: sourcePort });
  }

  #receiveAudio(format: ReceiveFormat, stay: Stay, arrivalUs: number): void {
    const view = this.#view;
    const packet = this.#packet;
    packet.codec = format.codec;
    packet.payloadType = format.payloadType;
    packet.clockRateHz = format.clockRateHz;
    packet.ssrc = view.ssrc;
    packet.sequenceNumber = view.sequenceNumber;
    packet.rtpTime = view.timestamp;
    packet.arrivalUs = arrivalUs;
    packet.payload = view.payload();
    this.#capture.packet(stay, packet);
    this.#jitterBuffer.put(packet, format.decoder);
  }
}
