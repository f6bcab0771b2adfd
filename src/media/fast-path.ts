import { writeUint32 } from '../big-endian.ts';
import { rtpHeaderBytes } from '../rtp/packet.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import type { Datagram, TransportPort } from '../rtp/transport.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import { ArrivalNotes, notedPackets } from './arrival-notes.ts';
import type { CaptureSink, FastCapture, FastPathUser } from './capture-sink.ts';
import type { Due } from './due-list.ts';
import type { EarlyWords } from './early-words.ts';
import type { HeardCapture } from './heard-capture.ts';
import type { Inactivity } from './inactivity.ts';
import type { KeyPresses } from './key-presses.ts';
import type { FastRelay, LegOutput } from './leg-output.ts';
import type { LegStatistics } from './leg-statistics.ts';
import type { MixedPath } from './mixed-path.ts';
import { NotedPackets } from './noted-packets.ts';
import type { PacketProtection } from './packet-protection.ts';
import type { PauseEnd } from './pause-end.ts';
import type { PayloadTypes } from './payload-types.ts';
import type { ReceiveFormat } from './receive-formats.ts';
import type { ReceiveGate } from './receive-gate.ts';
import { maxIdleSlots } from './relay.ts';
import type { RestingRoom } from './resting-room.ts';
import type { SaidCapture } from './said-capture.ts';
import type { SlotCount } from './slot-count.ts';
import type { SourceLatch } from './source-latch.ts';
import type { UnprovenPackets } from './unproven-packets.ts';

/** Of a leg: who is to know of its packets, and whose state decides about them. */
export interface FastPathLeg {
  readonly capture: CaptureSink;
  readonly early: EarlyWords;
  readonly gate: ReceiveGate;
  readonly inactivity: Inactivity;
  readonly keys: KeyPresses;
  readonly latch: SourceLatch;
  readonly pauseEnd: PauseEnd;
  readonly payloadTypes: PayloadTypes;
  readonly protection: PacketProtection;
  readonly said: SaidCapture;
  readonly statistics: LegStatistics;
  readonly unproven: UnprovenPackets;
}

/** Of all legs. */
const notes = new ArrivalNotes();
const noted = new NotedPackets();
const originUnit = 2 ** 20;
/** Version 2 and nothing else: neither padding nor extension nor sources. */
const plainFirstByte = 0x80;

/**
 * The way of packets that go on with the one before in everything: from the source, of the SSRC, payload type and
 * length, with the next number and the next time. As long as nothing but such packets comes from either of two legs
 * that are relayed to each other, or from a leg that is mixed, and nobody else has to do with them, each is sent or
 * given to the mix and recorded by what is known here, and noted. Whoever else is to know of packets and slots is told of many at once, and by `settle` before anything
 * is asked or changed that they count for.
 */
export class FastPath implements FastPathUser {
  #isOpen = false;
  /** Of the next packet; time and SSRC as signed numbers. */
  #bytes = 0;
  #payloadType = 0;
  #sequenceNumber = 0;
  #rtpTime = 0;
  #ssrc = 0;
  #sourcePort = 0;
  #sourceAddress = '';
  #ticks = 0;
  /** As it is sent. */
  #sentPayloadType = 0;
  #sequenceOffset = 0;
  #timeOffset = 0;
  #sentSsrc = 0;
  #remotePort = 0;
  #address = '';
  #port: TransportPort | undefined;
  /** How far the time that is sent may lie from that of the slots, which was `#slotTime` behind `#slotBase` of them. */
  #mostTicksApart = 0;
  #slotTime = 0;
  #slotBase = 0;
  #slotTicks = 0;
  #slots: SlotCount | undefined;
  /** Slots that had passed when the last packet came. */
  #lastSlot = 0;
  #spool: SpoolProducer | undefined;
  /** 0: they are not recorded. */
  #segmentHandle = 0;
  /** Position 0 of the spool's times: numbers this small stand in the object itself. */
  #originUnits = 0;
  #originRest = 0;
  /** Arrivals of the packets that nobody was told of; -1: there were none. */
  #notesAt = -1;
  #noted = 0;
  #room = notedPackets;
  /** Where what is recorded is what the other leg hears: its times are others. */
  #heard: HeardCapture | undefined;
  #heardNotesAt = -1;
  /** Slots that the target was told of. */
  #toldSlots = 0;
  #restingRoom: RestingRoom | undefined;
  #capture: FastCapture | undefined;
  #target: LegOutput | undefined;
  /** Where packets go that are not relayed. */
  #mixed: MixedPath | undefined;
  /** Of the last packet; undefined where it was not plain. */
  #format: ReceiveFormat | undefined;
  #arrivalUs = 0;
  readonly #leg: FastPathLeg;
  /** When the leg is to be looked at: at once but while it rests. */
  due: Due | undefined;

  constructor(leg: FastPathLeg) {
    this.#leg = leg;
  }

  /** A packet of audio went to the other leg, or to the jitter buffer, the long way. */
  follow(format: ReceiveFormat, { data, arrivalUs }: Datagram): void {
    if (data[0] !== plainFirstByte) return;
    this.#format = format;
    this.#bytes = data.length;
    this.#arrivalUs = arrivalUs;
  }

  /** The last packet is none to go on with. */
  forget(): void {
    this.#format = undefined;
  }

  /**
   * @param target where the leg's packets are relayed to
   * @returns whether what goes on with the last packet may be taken from here on
   */
  open(target: LegOutput, room: RestingRoom): boolean {
    const format = this.#nextFormat();
    const relayed = format && target.ahead(format, this.#leg.payloadTypes.lastAudio);
    if (!relayed || !this.#findCapture(format, relayed)) return false;
    this.#goOn(format);
    this.#sentPayloadType = relayed.payloadType;
    this.#sequenceOffset = relayed.sequenceOffset;
    this.#timeOffset = relayed.timeOffset | 0;
    this.#sentSsrc = relayed.ssrc | 0;
    this.#port = relayed.port;
    this.#address = relayed.address;
    this.#remotePort = relayed.remotePort;
    this.#mostTicksApart = relayed.mostTicksApart;
    this.#slotTime = relayed.slotTimestamp | 0;
    this.#slotTicks = relayed.slotTicks;
    this.#slots = room.slots;
    this.#slotBase = this.#toldSlots = room.slots.by(room.order);
    this.#lastSlot = this.#slotBase - (maxIdleSlots - relayed.idleSlotsLeft);
    this.#target = target;
    this.#restingRoom = room;
    this.#isOpen = true;
    return true;
  }

  /** As `open`, of a leg that is mixed. */
  openMixed(mixed: MixedPath): boolean {
    const format = this.#nextFormat();
    if (!format || !this.#findCapture(format, undefined)) return false;
    if (!mixed.open(format, this.#leg.payloadTypes.lastAudio.sequenceNumber)) return false;
    this.#goOn(format);
    this.#mixed = mixed;
    this.#isOpen = true;
    return true;
  }

  /** Of the last packet, where one that goes on with it may take this way; as far as is known here. */
  #nextFormat(): ReceiveFormat | undefined {
    const { said, latch, payloadTypes, pauseEnd } = this.#leg;
    const { ssrc, sequenceNumber } = payloadTypes.lastAudio;
    if (!this.#format || !said.stay || said.stay.muted || !this.#isPlain()) return undefined;
    if (!latch.isAt(ssrc, sequenceNumber) || pauseEnd.isNear(this.#arrivalUs)) return undefined;
    return this.#format;
  }

  /** Expects what goes on with the last packet. */
  #goOn({ payloadType }: ReceiveFormat): void {
    const { latch, payloadTypes } = this.#leg;
    const { ssrc, sequenceNumber, rtpTime, ticks } = payloadTypes.lastAudio;
    this.#payloadType = payloadType;
    this.#sequenceNumber = toSequenceNumber(sequenceNumber + 1);
    this.#rtpTime = (rtpTime + ticks) | 0;
    this.#ssrc = ssrc | 0;
    this.#sourceAddress = latch.sendAddress;
    this.#sourcePort = latch.sendPort;
    this.#ticks = ticks;
    if (this.#notesAt >= 0) return;
    this.#notesAt = notes.takeRow();
    // Legs that begin together are not all told in the same tick.
    this.#room = 1 + ((this.#sourcePort >> 1) % notedPackets);
  }

  /** What is to be known was told before. */
  close(): void {
    this.#isOpen = false;
    this.#restingRoom = undefined;
    this.due?.set(0);
    this.#capture = undefined;
    this.#heard = undefined;
    this.#target = undefined;
    this.#port = undefined;
    this.#mixed?.close();
    this.#mixed = undefined;
  }

  /** The leg is closed. */
  end(): void {
    if (this.#notesAt >= 0) notes.giveBack(this.#notesAt);
    if (this.#heardNotesAt >= 0) notes.giveBack(this.#heardNotesAt);
    this.#notesAt = this.#heardNotesAt = -1;
  }

  /** Up to how many slots that passed nothing but packets is sent, whatever comes. */
  get relaysTo(): number {
    return this.#lastSlot + maxIdleSlots;
  }

  /** @returns false: it is to go the long way, behind `settle` and `close` of both legs */
  take(datagram: Datagram): boolean {
    if (!this.#isOpen) return false;
    const { data, arrivalUs } = datagram;
    const sequenceNumber = this.#sequenceNumber;
    const rtpTime = this.#rtpTime;
    if (
      data.length !== this.#bytes ||
      data[0] !== plainFirstByte ||
      data[1] !== this.#payloadType ||
      ((data[2]! << 8) | data[3]!) !== sequenceNumber ||
      readInt32(data, 4) !== rtpTime ||
      readInt32(data, 8) !== this.#ssrc ||
      datagram.sourcePort !== this.#sourcePort ||
      datagram.sourceAddress !== this.#sourceAddress
    )
      return false;
    if (!(this.#mixed ? this.#mix(this.#mixed, data, arrivalUs) : this.#relay(data, arrivalUs))) return false;
    this.#sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.#rtpTime = (rtpTime + this.#ticks) | 0;
    notes.times[this.#notesAt + this.#noted++] = arrivalUs;
    if (this.#noted >= this.#room) this.tell();
    return true;
  }

  /** @returns false where it can be neither sent nor recorded so */
  #relay(data: Uint8Array, arrivalUs: number): boolean {
    const sequenceNumber = this.#sequenceNumber;
    const rtpTime = this.#rtpTime;
    const sentTime = (rtpTime + this.#timeOffset) | 0;
    const { passed } = this.#slots!;
    const slotTime = this.#slotTime + Math.imul(passed - this.#slotBase, this.#slotTicks);
    if (Math.abs((sentTime - slotTime) | 0) > this.#mostTicksApart) return false;
    const sentNumber = (sequenceNumber + this.#sequenceOffset) & 0xffff;
    if (this.#segmentHandle > 0) {
      const isKept = this.#heard
        ? this.#recordHeard(data, sentNumber, sentTime)
        : this.#record(data, sequenceNumber, rtpTime, arrivalUs);
      if (!isKept) return false;
    }
    this.#send(data, sentNumber, sentTime);
    this.#lastSlot = passed;
    return true;
  }

  /** @returns false where there is no place for it, or it can not be recorded so */
  #mix(mixed: MixedPath, data: Uint8Array, arrivalUs: number): boolean {
    if (!mixed.takes) return false;
    const isKept =
      this.#segmentHandle === 0 || this.#record(data, this.#sequenceNumber, this.#rtpTime, arrivalUs);
    if (isKept) mixed.put(data);
    return isKept;
  }

  /** Everything that came so far, or was sent, is known. */
  settle(): void {
    if (this.#mixed) this.tell();
    else this.#restingRoom?.settle();
  }

  /** And what comes next goes the long way. */
  wake(): void {
    if (this.#mixed) {
      this.tell();
      this.close();
    } else this.#restingRoom?.wake();
  }

  /** The leg is left alone until then. */
  restUntil(atUs: number): void {
    if (this.#isOpen) this.due?.set(atUs);
  }

  /** Tells whoever is to know what came, and how many slots passed. */
  tell(): void {
    if (!this.#isOpen) return;
    const packets = this.#noted;
    this.#noted = 0;
    this.#room = notedPackets;
    if (packets > 0) this.#tellPackets(packets);
    if (this.#mixed) {
      this.#mixed.tell();
      return;
    }
    const slots = this.#slots!.by(this.#restingRoom!.order);
    const passed = slots - this.#toldSlots;
    this.#toldSlots = slots;
    const payloadBytes = packets * (this.#bytes - rtpHeaderBytes);
    this.#target!.wentOn(packets, payloadBytes, this.#ticks, passed, slots - this.#lastSlot);
  }

  #record(data: Uint8Array, sequenceNumber: number, rtpTime: number, atUs: number): boolean {
    const recordedUs = Math.max(0, atUs - this.#originUnits * originUnit - this.#originRest);
    const handle = this.#segmentHandle;
    return this.#spool!.tryPacket(handle, sequenceNumber, rtpTime >>> 0, recordedUs, data, rtpHeaderBytes);
  }

  /** As the other leg is sent it, and when. */
  #recordHeard(data: Uint8Array, sequenceNumber: number, rtpTime: number): boolean {
    const nowUs = this.#heard!.nowUs();
    notes.times[this.#heardNotesAt + this.#noted] = nowUs;
    return this.#record(data, sequenceNumber, rtpTime, nowUs);
  }

  #send(data: Uint8Array, sequenceNumber: number, time: number): void {
    const port = this.#port!;
    const out = port.reserve(data.length);
    out.set(data);
    out[1] = this.#sentPayloadType;
    out[2] = sequenceNumber >>> 8;
    out[3] = sequenceNumber;
    writeUint32(out, 4, time);
    writeUint32(out, 8, this.#sentSsrc);
    port.commit(data.length, this.#address, this.#remotePort);
  }

  #tellPackets(packets: number): void {
    const { statistics, pauseEnd, latch, inactivity, payloadTypes, protection } = this.#leg;
    const format = this.#format!;
    const ticks = this.#ticks;
    const ssrc = this.#ssrc >>> 0;
    const firstNumber = toSequenceNumber(this.#sequenceNumber - packets);
    const firstTime = toRtpTimestamp(this.#rtpTime - packets * ticks);
    noted.fill(packets, firstNumber, firstTime, ticks);
    noted.cameAt(notes.times, this.#notesAt, 0);
    const arrivalUs = noted.arrivalUs(packets - 1);
    statistics.audioSeries(format, ssrc, noted, this.#bytes - rtpHeaderBytes);
    pauseEnd.tookSeries(ssrc, format.clockRateHz, noted);
    if (this.#segmentHandle > 0) this.#place(packets, firstNumber, firstTime);
    const lastNumber = toSequenceNumber(this.#sequenceNumber - 1);
    this.#arrivalUs = arrivalUs;
    latch.wentOn(packets, arrivalUs, lastNumber);
    inactivity.alive(arrivalUs);
    payloadTypes.wentOn(lastNumber, toRtpTimestamp(this.#rtpTime - ticks));
    protection.wentOn(lastNumber);
  }

  /** So many noted packets, where they were recorded. */
  #place(packets: number, firstNumber: number, firstTime: number): void {
    const capture = this.#capture!;
    const isHeard = this.#heard !== undefined;
    const [numberOffset, timeOffset] = isHeard ? [this.#sequenceOffset, this.#timeOffset] : [0, 0];
    const sequenceNumber = toSequenceNumber(firstNumber + numberOffset);
    noted.fill(packets, sequenceNumber, toRtpTimestamp(firstTime + timeOffset), this.#ticks);
    noted.cameAt(notes.times, isHeard ? this.#heardNotesAt : this.#notesAt, capture.originUs);
    capture.placeSeries(noted);
  }

  /**
   * Where the packets are recorded: in the room, with the call, or with the call of the other leg, as what that hears.
   * @param relayed undefined: they are mixed
   * @returns false where somebody is to be given each packet, or two are to have it
   */
  #findCapture(format: ReceiveFormat, relayed: FastRelay | undefined): boolean {
    const { capture, payloadTypes, said } = this.#leg;
    const stay = said.stay!;
    const { codec, clockRateHz, payloadType } = format;
    const last = {
      codec,
      clockRateHz,
      payloadType,
      ssrc: payloadTypes.lastAudio.ssrc,
      arrivalUs: this.#arrivalUs,
    };
    const found = [capture.goesOn?.(stay, last, this)];
    if (said.call && stay.policy !== 'never') found.push(capture.goesOn?.(said.call.said, last, this));
    const heard = relayed?.heard;
    const ofHeard = heard?.goesOn({ ...relayed!, codec, clockRateHz }, this);
    if (heard) found.push(ofHeard);
    const recording = found.filter((each) => each?.segment);
    if (found.includes(undefined) || recording.length > 1) return false;
    const only = recording[0] ?? found[0]!;
    this.#capture = only;
    this.#heard = recording.length > 0 && only === ofHeard ? heard : undefined;
    this.#spool = only.spool;
    this.#segmentHandle = only.segment?.handle ?? 0;
    this.#originUnits = Math.floor(only.originUs / originUnit);
    this.#originRest = only.originUs - this.#originUnits * originUnit;
    if (this.#heard && this.#heardNotesAt < 0) this.#heardNotesAt = notes.takeRow();
    return true;
  }

  /** Nothing is under way by which a packet could be anything else than audio of the leg. */
  #isPlain(): boolean {
    const { early, gate, keys, payloadTypes, protection, unproven } = this.#leg;
    return (
      gate.isOpen &&
      early.isOver &&
      protection.isPlain &&
      !unproven.holds &&
      !keys.isDown &&
      !payloadTypes.isChanging
    );
  }
}

function readInt32(data: Uint8Array, offset: number): number {
  return (data[offset]! << 24) | (data[offset + 1]! << 16) | (data[offset + 2]! << 8) | data[offset + 3]!;
}
