import { KeyPressClock } from '../rtp/key-press-clock.ts';
import type { RtpHeader } from '../rtp/packet.ts';
import {
  addToSequence,
  addToTimestamp,
  type RtpTimestamp,
  type SequenceNumber,
  sequenceDelta,
  timestampDelta,
  toRtpTimestamp,
  toSequenceNumber,
} from '../rtp/sequence.ts';
import { longestEventTicks } from '../rtp/telephone-event.ts';
import type { NegotiatedTelephoneEvent } from './control.ts';
import type { RtpSender } from './rtp-sender.ts';

/** What the relay needs of a packet; sequence number and RTP time as on the wire. */
export interface RelayedPacket {
  readonly ssrc: number;
  readonly sequenceNumber: SequenceNumber;
  readonly rtpTime: RtpTimestamp;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** The last packet of audio of a stream. */
export type LastRelayed = Pick<RelayedPacket, 'ssrc' | 'sequenceNumber' | 'rtpTime'> & {
  readonly ticks: number;
};

export interface RelayedAhead {
  /** What numbers and times are sent with more than they came with. */
  readonly sequenceOffset: number;
  readonly timeOffset: number;
  /** From the time of our slots, and the lead on them. */
  readonly mostTicksApart: number;
  /** Of the next of our slots, with that lead. */
  readonly slotTimestamp: RtpTimestamp;
  /** Until silence is sent instead. */
  readonly idleSlotsLeft: number;
}

/** Steps that are no loss and no reordering but a new beginning (RFC 3550 appendix A.1). */
const maxDropout = 3000;
const maxMisorder = 100;
/**
 * How far the relayed time may lie from that of our slots before it counts as a jump, beside the lead that it had when it
 * began: what was kept of a stream is sent at once.
 */
const maxTimeOffsetSeconds = 2;
/** Slots without a packet after which the leg is sent silence, so that NAT bindings and its patience last. */
export const maxIdleSlots = 25;
/** And after comfort noise, which stands for all that follows until the next packet. */
const maxNoiseSlots = 750;
/** Slots left out after a packet of a key press that goes into a stream of slots. */
const eventSlots = 3;

/**
 * Puts the packets of another leg into our stream as they are. Losses, order and pauses of the source are kept, so
 * that the far jitter buffer sees them; SSRC, sequence and time are those of our stream and go on through every change
 * between relayed packets and slots.
 */
export class Relay {
  readonly #sender: RtpSender;
  readonly #header: RtpHeader;
  #runs = false;
  #ssrc = 0;
  #sequenceOffset = 0;
  #timeOffset = 0;
  /** On the slots, when it began. */
  #leadTicks = 0;
  #highest = toSequenceNumber(0);
  /** Numbers from the first one of this run to the highest. */
  #span = 0;
  /** Until silence is sent instead. */
  #idleSlotsLeft = 0;
  #eventSlots = 0;
  readonly #keyPress = new KeyPressClock();
  #eventTime = toRtpTimestamp(0);

  constructor(sender: RtpSender) {
    this.#sender = sender;
    this.#header = { marker: false, payloadType: 0, sequenceNumber: 0, timestamp: 0, ssrc: 0 };
  }

  /** Whether the next slot is left out, as nothing but relayed audio is sent. */
  get holdsNext(): boolean {
    return this.#runs && this.#eventSlots === 0 && this.#idleSlotsLeft > 0;
  }

  /** Nothing of it is being sent. */
  get isIdle(): boolean {
    return !this.#runs && this.#eventSlots === 0;
  }

  /** Once a slot: whether the stream is the relay's, so that the slot is left out. */
  holdsSlot(): boolean {
    if (this.#eventSlots > 0) {
      this.#eventSlots--;
      return true;
    }
    if (this.#runs && --this.#idleSlotsLeft < 0) this.end();
    return this.#runs;
  }

  /** The stream is of slots again. */
  end(): void {
    this.#runs = false;
    this.#eventSlots = 0;
    this.#keyPress.reset();
  }

  audio(packet: RelayedPacket, payloadType: number, ticks: number, address: string, port: number): void {
    const begins = !this.#continues(packet) || this.#jumpsInTime(packet);
    if (begins) this.#begin(packet, address, port);
    this.#header.marker = begins || packet.marker;
    this.#send(packet, packet.payload, payloadType, this.#timeOf(packet), ticks, address, port);
  }

  /** How what goes on with the last packet is sent, while nothing else is; undefined: not known from that. */
  ahead({ ssrc, sequenceNumber, rtpTime, ticks }: LastRelayed): RelayedAhead | undefined {
    const sender = this.#sender;
    const { format } = sender;
    if (!format || !this.#runs || this.#eventSlots > 0) return undefined;
    if (ssrc !== this.#ssrc || sequenceNumber !== this.#highest) return undefined;
    const next = addToSequence(sequenceNumber, this.#sequenceOffset + 1);
    if (!sender.endsWith(next, addToTimestamp(rtpTime, this.#timeOffset + ticks))) return undefined;
    return {
      sequenceOffset: this.#sequenceOffset,
      timeOffset: this.#timeOffset,
      mostTicksApart: maxTimeOffsetSeconds * format.clockRateHz,
      slotTimestamp: addToTimestamp(sender.slotTimestamp, this.#leadTicks),
      idleSlotsLeft: this.#idleSlotsLeft,
    };
  }

  /** So many packets more were sent as `ahead` says; `idleSlots` passed behind the last one. */
  wentOn(packets: number, payloadBytes: number, ticks: number, idleSlots: number): void {
    this.#idleSlotsLeft = maxIdleSlots - idleSlots;
    if (packets === 0) return;
    this.#span += packets;
    this.#highest = addToSequence(this.#highest, packets);
    this.#sender.wentOn(packets, payloadBytes, ticks);
  }

  /** Comfort noise within relayed audio. @returns false where none is relayed */
  noise(packet: RelayedPacket, payloadType: number, address: string, port: number): boolean {
    if (!this.#continues(packet) || this.#jumpsInTime(packet)) return false;
    this.#header.marker = packet.marker;
    this.#send(packet, packet.payload, payloadType, this.#timeOf(packet), 0, address, port);
    this.#idleSlotsLeft = maxNoiseSlots;
    return true;
  }

  /** A packet of a key press (RFC 4733): beside relayed audio in its order, else in the order of arrival. */
  event(
    packet: RelayedPacket,
    fromHz: number,
    { payloadType, clockRateHz, sendPayloadType = payloadType }: NegotiatedTelephoneEvent,
    address: string,
    port: number,
  ): void {
    const sender = this.#sender;
    const continues = this.#continues(packet);
    const header = this.#header;
    header.marker = packet.marker;
    // Of a clock that is not the stream's own, only the duration can be understood.
    if (continues && fromHz === clockRateHz && fromHz === sender.format?.clockRateHz) {
      this.#send(packet, packet.payload, sendPayloadType, this.#timeOf(packet), 0, address, port);
      return;
    }
    const press = this.#keyPress;
    if (!press.convert(packet.payload, packet.rtpTime, fromHz, clockRateHz)) {
      this.leaveOut(packet);
      return;
    }
    if (press.begins) {
      sender.flush(address, port);
      this.#eventTime = sender.nextTimestamp;
    }
    const timestamp = addToTimestamp(this.#eventTime, press.segmentTicks);
    if (press.filledSegments === 1)
      this.#endSegment(packet, addToTimestamp(timestamp, -longestEventTicks), sendPayloadType, address, port);
    this.#sendEvent(packet, press.payload, sendPayloadType, timestamp, address, port);
  }

  /** The last report of a segment, three times (RFC 4733 section 2.5.1.4), before the packet that begins the next. */
  #endSegment(
    packet: RelayedPacket,
    timestamp: RtpTimestamp,
    payloadType: number,
    address: string,
    port: number,
  ): void {
    const press = this.#keyPress;
    const begun = press.payload.slice();
    for (let copy = 0; copy < 3; copy++) {
      this.#sendEvent(packet, press.fillSegment(), payloadType, timestamp, address, port);
      this.#sequenceOffset++;
    }
    // Numbers from before were moved up to: nothing older may take them again.
    this.#span = 0;
    press.payload.set(begun);
  }

  #sendEvent(
    packet: RelayedPacket,
    payload: Uint8Array,
    payloadType: number,
    timestamp: RtpTimestamp,
    address: string,
    port: number,
  ): void {
    if (this.#continues(packet)) {
      this.#send(packet, payload, payloadType, timestamp, 0, address, port);
      return;
    }
    const header = this.#header;
    this.#eventSlots = eventSlots;
    header.payloadType = payloadType;
    header.sequenceNumber = this.#sender.nextSequenceNumber;
    header.timestamp = timestamp;
    this.#sender.sendPacket(header, payload, 0, address, port);
  }

  /** A packet that the leg can not take is left out without a gap in the sequence. */
  leaveOut(packet: RelayedPacket): void {
    if (!this.#continues(packet) || sequenceDelta(packet.sequenceNumber, this.#highest) !== 1) return;
    this.#highest = packet.sequenceNumber;
    this.#sequenceOffset--;
  }

  #continues({ ssrc, sequenceNumber }: RelayedPacket): boolean {
    if (!this.#runs || ssrc !== this.#ssrc) return false;
    const step = sequenceDelta(sequenceNumber, this.#highest);
    return step < maxDropout && step > -maxMisorder;
  }

  #jumpsInTime(packet: RelayedPacket): boolean {
    const clockRateHz = this.#sender.format?.clockRateHz ?? 0;
    const offset = timestampDelta(this.#timeOf(packet), this.#sender.slotTimestamp) - this.#leadTicks;
    return Math.abs(offset) > maxTimeOffsetSeconds * clockRateHz;
  }

  #timeOf({ rtpTime }: RelayedPacket): RtpTimestamp {
    return addToTimestamp(rtpTime, this.#timeOffset);
  }

  #begin({ ssrc, sequenceNumber, rtpTime }: RelayedPacket, address: string, port: number): void {
    const sender = this.#sender;
    sender.flush(address, port);
    this.#runs = true;
    this.#ssrc = ssrc;
    this.#sequenceOffset = sequenceDelta(sender.nextSequenceNumber, sequenceNumber);
    this.#timeOffset = timestampDelta(sender.nextTimestamp, rtpTime);
    this.#leadTicks = timestampDelta(sender.nextTimestamp, sender.slotTimestamp);
    this.#highest = sequenceNumber;
    this.#span = 0;
  }

  /** With the marker that the header holds. */
  #send(
    { sequenceNumber }: RelayedPacket,
    payload: Uint8Array,
    payloadType: number,
    timestamp: RtpTimestamp,
    ticks: number,
    address: string,
    port: number,
  ): void {
    this.#idleSlotsLeft = maxIdleSlots;
    const step = sequenceDelta(sequenceNumber, this.#highest);
    // A packet from before this run: its number in our stream is another one's.
    if (-step > this.#span) return;
    if (step > 0) {
      this.#span += step;
      this.#highest = sequenceNumber;
    }
    const header = this.#header;
    header.payloadType = payloadType;
    header.sequenceNumber = addToSequence(sequenceNumber, this.#sequenceOffset);
    header.timestamp = timestamp;
    this.#sender.sendPacket(header, payload, ticks, address, port);
  }
}
