import type { Decoder } from '../codec/codec.ts';
import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { type KeyPress, TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import type { Datagram, DatagramSink, TransportPort } from '../rtp/transport.ts';
import type { CapturedPacket, CaptureSink, Stay } from './capture-sink.ts';
import { decoderFor, roomRateHz, slotSamples } from './codec-table.ts';
import type { LegNegotiate, NegotiatedCodec, WorkerEvent } from './control.ts';
import { type BufferedPacket, JitterBuffer } from './jitter-buffer.ts';
import { LegOutput } from './leg-output.ts';
import type { RelayedPacket } from './relay.ts';
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

/** By event code (RFC 4733 section 3.2). */
const eventKeys = '0123456789*#ABCD';

/** More than the jitter buffer can hold. */
const maxPassedOverSlots = 64;

/**
 * The media of one leg. In: validates a datagram, holds its source to the latch, hands the packet at once to the
 * capture sink, then to the other leg of a relay or to the room's jitter buffer, while the leg is in a stay. Out:
 * `output`, to wherever the peer's media comes from.
 */
export class MediaSession implements DatagramSink {
  readonly legId: string;
  readonly counters: MediaSessionCounters = { strayPackets: 0, unknownPayloadTypes: 0, unexpectedPackets: 0 };
  readonly output: LegOutput;
  readonly #options: MediaSessionOptions;
  readonly #capture: CaptureSink;
  readonly #parser = new RtpParser();
  readonly #view = new RtpPacketView();
  readonly #latch = new SourceLatch();
  readonly #jitterBuffer = new JitterBuffer({ clockRateHz: roomRateHz, rateHz: roomRateHz });
  readonly #missedFrame = new Int16Array(slotSamples);
  readonly #packet: CapturedPacket & BufferedPacket & { marker: boolean } = {
    codec: 'PCMU',
    payloadType: 0,
    clockRateHz: roomRateHz,
    ssrc: 0,
    sequenceNumber: toSequenceNumber(0),
    rtpTime: toRtpTimestamp(0),
    arrivalUs: 0,
    payload: new Uint8Array(0),
    marker: false,
  };
  /** By payload type. */
  #formats: (ReceiveFormat | undefined)[] = [];
  #eventPayloadType = -1;
  #events: TelephoneEventReceiver | undefined;
  #eventClockRateHz = 0;
  #eventSsrc = 0;
  #receives = false;
  #heard = false;
  #inactivityTimeoutMs: number | undefined;
  /** Arrival of the last packet, or since when one is due; undefined: from the next slot on. */
  #lastPacketUs: number | undefined;
  #reportedInactive = false;
  #stay: Stay | undefined;
  #leaveKey: string | undefined;
  /** Its event code: the other leg of a relay does not hear it. */
  #leaveEvent = -1;
  #relayTarget: LegOutput | undefined;
  #port: TransportPort | undefined;

  constructor(options: MediaSessionOptions) {
    this.legId = options.legId;
    this.#options = options;
    this.#capture = options.capture;
    this.output = new LegOutput(options.legId, this.#latch, options.post);
  }

  get stay(): Stay | undefined {
    return this.#stay;
  }

  get attached(): boolean {
    return this.#port !== undefined;
  }

  attach(port: TransportPort): void {
    this.#port = port;
    this.output.attach(port);
  }

  close(): void {
    this.output.close();
    this.#port?.close();
    this.#port = undefined;
  }

  /**
   * The first agreement or a later one; directions are ours.
   * @throws CallreelError NO_COMMON_CODEC; the former agreement then stays in force
   */
  negotiate(agreement: LegNegotiate): void {
    const { remote, receive, telephoneEvent, direction, inactivityTimeoutMs } = agreement;
    const formats: (ReceiveFormat | undefined)[] = [];
    for (const format of receive) formats[format.payloadType] = { ...format, decoder: decoderFor(format) };
    this.output.negotiate(agreement);
    this.#formats = formats;
    this.#eventPayloadType = telephoneEvent?.payloadType ?? -1;
    this.#useEventClock(telephoneEvent?.clockRateHz ?? 0);
    const receives = direction === 'sendrecv' || direction === 'recvonly';
    if (receives && !this.#receives) this.#lastPacketUs = undefined;
    this.#receives = receives;
    this.#inactivityTimeoutMs = inactivityTimeoutMs;
    this.#latch.signal(remote && !unspecifiedAddresses.has(remote.address) ? remote : undefined);
  }

  enter(stay: Stay, leaveKey: string | undefined): void {
    this.#stay = stay;
    this.#leaveKey = leaveKey;
    this.#leaveEvent = leaveKey === undefined ? -1 : eventKeys.indexOf(leaveKey);
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
    this.#lastPacketUs = datagram.arrivalUs;
    this.#reportedInactive = false;
    if (!format) this.#receiveEvent(datagram.arrivalUs);
    else if (this.#stay && view.payloadBytes > 0) this.#receiveAudio(format, this.#stay, datagram.arrivalUs);
    else this.#relayTarget?.leaveOut(this.#fillPacket());
  }

  /** Packets go to this leg as they are, where it can take them; undefined: all of them are for the mix. */
  relayTo(target: LegOutput | undefined): void {
    if (target !== this.#relayTarget) this.#relayTarget?.endRelay();
    this.#relayTarget = target;
  }

  /** The next frame for the room; false when there is none. */
  takeFrame(out: Int16Array): boolean {
    return this.#jitterBuffer.take(out);
  }

  /** Lets slots pass that came too late; what would have been played is passed over too. */
  missSlots(slots: number): void {
    this.output.missSlots(slots);
    for (let i = 0; i < Math.min(slots, maxPassedOverSlots); i++) this.#jitterBuffer.take(this.#missedFrame);
  }

  /** Once a slot: what is decided by nothing having come. */
  expire(nowUs: number): void {
    this.#events?.expire(nowUs);
    this.#lastPacketUs ??= nowUs;
    if (this.#inactivityTimeoutMs === undefined || !this.#heard || !this.#receives) return;
    const silentMs = Math.floor((nowUs - this.#lastPacketUs) / 1000);
    if (this.#reportedInactive || silentMs < this.#inactivityTimeoutMs) return;
    this.#reportedInactive = true;
    this.#options.post({ event: 'leg.inactive', legId: this.legId, silentMs });
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
    const isLeaveKey = view.payloadBytes > 0 && view.data[view.payloadOffset] === this.#leaveEvent;
    if (!isLeaveKey) this.#relayTarget?.relayEvent(this.#fillPacket(), this.#eventClockRateHz);
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
    const packet = this.#packet;
    this.#fillPacket();
    packet.codec = format.codec;
    packet.payloadType = format.payloadType;
    packet.clockRateHz = format.clockRateHz;
    packet.arrivalUs = arrivalUs;
    this.#capture.packet(stay, packet);
    if (!this.#relayTarget?.relay(packet, format)) this.#jitterBuffer.put(packet, format.decoder);
  }

  #fillPacket(): RelayedPacket {
    const view = this.#view;
    const packet = this.#packet;
    packet.ssrc = view.ssrc;
    packet.sequenceNumber = view.sequenceNumber;
    packet.rtpTime = view.timestamp;
    packet.marker = view.marker;
    packet.payload = view.payload();
    return packet;
  }
}
