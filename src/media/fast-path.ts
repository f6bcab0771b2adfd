import { plainFirstByte, rowWords } from '../rtp/expected-packets.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import type { Datagram, TransportPort } from '../rtp/transport.ts';
import { notedPackets } from './arrival-notes.ts';
import type { CaptureSink, FastCapture, FastPathUser } from './capture-sink.ts';
import type { Due } from './due-list.ts';
import type { EarlyWords } from './early-words.ts';
import { FastRows, type Hearing, type RowPath } from './fast-rows.ts';
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
const rows = new FastRows();
const noted = new NotedPackets();

/**
 * The way of packets that go on with the one before in everything: from the source, of the SSRC, payload type and
 * length, with the next number and the next time. As long as nothing but such packets comes from either of two legs
 * that are relayed to each other, or from a leg that is mixed, and nobody else has to do with them, each is sent or
 * given to the mix, recorded and noted by what stands in its row. Whoever else is to know of packets and slots is told of
 * many at once, and by `settle` before anything is asked or changed that they count for.
 */
export class FastPath implements FastPathUser, RowPath, Hearing {
  #isOpen = false;
  /** Where the next packet stands and what becomes of it; 0: none was open yet. */
  #row = 0;
  /** Of the last datagram. */
  #bytes = 0;
  #sourcePort = 0;
  #sourceAddress = '';
  #ticks = 0;
  #sequenceOffset = 0;
  #timeOffset = 0;
  #ssrc = 0;
  /** Slots that had passed when it was opened. */
  #slotBase = 0;
  #slots: SlotCount | undefined;
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
  #port: TransportPort | undefined;
  readonly #leg: FastPathLeg;
  /** When the leg is to be looked at: at once but while it rests. */
  due: Due | undefined;

  constructor(leg: FastPathLeg) {
    this.#leg = leg;
  }

  /** What comes to this port is the leg's. */
  attach(port: TransportPort): void {
    this.#port = port;
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
    const capture = relayed && this.#findCapture(format, relayed);
    if (!capture) return false;
    this.#goOn(format, capture);
    this.#sequenceOffset = relayed.sequenceOffset;
    this.#timeOffset = relayed.timeOffset;
    this.#slots = room.slots;
    this.#slotBase = this.#toldSlots = room.slots.by(room.order);
    rows.relay(this.#row, relayed, room.slots, this.#slotBase, this.#heard !== undefined);
    rows.setLastSlot(this.#row, relayed.idleSlotsLeft - maxIdleSlots);
    this.#target = target;
    this.#restingRoom = room;
    return true;
  }

  /** As `open`, of a leg that is mixed. */
  openMixed(mixed: MixedPath): boolean {
    const format = this.#nextFormat();
    const capture = format && this.#findCapture(format, undefined);
    if (!capture || !mixed.open(format, this.#leg.payloadTypes.lastAudio.sequenceNumber)) return false;
    this.#goOn(format, capture);
    this.#mixed = mixed;
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
  #goOn({ payloadType }: ReceiveFormat, capture: FastCapture): void {
    const { latch, payloadTypes } = this.#leg;
    const { ssrc, sequenceNumber, rtpTime, ticks } = payloadTypes.lastAudio;
    if (this.#row === 0) this.#row = rows.takeRow(this);
    const row = this.#row;
    this.#ticks = ticks;
    this.#ssrc = ssrc;
    this.#expectFrom(latch.sendAddress, latch.sendPort);
    // Legs that begin together are not all told in the same tick.
    rows.open(row, ticks, 1 + ((this.#sourcePort >> 1) % notedPackets));
    rows.record(row, capture);
    rows.expected.expect(row, {
      ...{ bytes: this.#bytes, payloadType, ssrc },
      sequenceNumber: toSequenceNumber(sequenceNumber + 1),
      rtpTime: rtpTime + ticks,
    });
    this.#isOpen = true;
  }

  #expectFrom(address: string, port: number): void {
    if (address === this.#sourceAddress && port === this.#sourcePort) return;
    this.#sourceAddress = address;
    this.#sourcePort = port;
    this.#port?.expect?.(rows.expected, this.#row, address, port);
  }

  /** What is to be known was told before. */
  close(): void {
    this.#isOpen = false;
    if (this.#row > 0) rows.close(this.#row);
    this.#restingRoom = undefined;
    this.due?.set(0);
    this.#capture = undefined;
    this.#heard = undefined;
    this.#target = undefined;
    this.#slots = undefined;
    this.#mixed?.close();
    this.#mixed = undefined;
  }

  /** The leg is closed. */
  end(): void {
    if (this.#heardNotesAt >= 0) rows.notes.giveBack(this.#heardNotesAt);
    this.#heardNotesAt = -1;
    if (this.#row === 0) return;
    this.#port?.expect?.(rows.expected, 0, '', 0);
    rows.giveBack(this.#row);
    this.#row = 0;
  }

  /** Up to how many slots that passed nothing but packets is sent, whatever comes. */
  get relaysTo(): number {
    return this.#slotBase + rows.lastSlot(this.#row) + maxIdleSlots;
  }

  /** @returns false: it is to go the long way, behind `settle` and `close` of both legs */
  offer({ data, arrivalUs, sourceAddress, sourcePort }: Datagram): boolean {
    if (!this.#isOpen || !rows.expected.isNext(this.#row, data)) return false;
    if (sourcePort !== this.#sourcePort || sourceAddress !== this.#sourceAddress) return false;
    return rows.expected.take(this.#row, data, arrivalUs);
  }

  take(data: Uint8Array): boolean {
    if (this.#mixed) return this.#mix(this.#mixed, data);
    return rows.relayPacket(this.#row, data, this.#heard ? this : undefined);
  }

  hears(packets: number): number {
    const at = this.#heardNotesAt + packets;
    rows.notes.times[at] = this.#heard!.nowUs();
    return at;
  }

  /** @returns false where there is no place for it, or it can not be recorded so */
  #mix(mixed: MixedPath, data: Uint8Array): boolean {
    if (!mixed.takes) return false;
    const { expected } = rows;
    const row = this.#row;
    const isKept =
      !rows.isRecorded(row) ||
      rows.recordPacket(
        row,
        data,
        expected.sequenceNumber(row),
        expected.rtpTime(row),
        expected.arrivalsUs,
        row / rowWords,
      );
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
    const packets = rows.takeNoted(this.#row);
    if (packets > 0) this.#tellPackets(packets);
    if (this.#mixed) {
      this.#mixed.tell();
      return;
    }
    const slots = this.#slots!.by(this.#restingRoom!.order);
    const passed = slots - this.#toldSlots;
    this.#toldSlots = slots;
    const payloadBytes = packets * rows.expected.payloadBytes(this.#row);
    const idleSlots = slots - this.#slotBase - rows.lastSlot(this.#row);
    this.#target!.wentOn(packets, payloadBytes, this.#ticks, passed, idleSlots);
  }

  #tellPackets(packets: number): void {
    const { statistics, pauseEnd, latch, inactivity, payloadTypes, protection } = this.#leg;
    const format = this.#format!;
    const ticks = this.#ticks;
    const ssrc = this.#ssrc >>> 0;
    const { expected } = rows;
    const row = this.#row;
    const nextNumber = expected.sequenceNumber(row);
    const nextTime = expected.rtpTime(row);
    const firstNumber = toSequenceNumber(nextNumber - packets);
    const firstTime = toRtpTimestamp(nextTime - packets * ticks);
    noted.fill(packets, firstNumber, firstTime, ticks);
    noted.cameAt(rows.notes.times, rows.notesAt(row), 0);
    const arrivalUs = noted.arrivalUs(packets - 1);
    statistics.audioSeries(format, ssrc, noted, expected.payloadBytes(row));
    pauseEnd.tookSeries(ssrc, format.clockRateHz, noted);
    if (rows.isRecorded(row)) this.#place(packets, firstNumber, firstTime);
    const lastNumber = toSequenceNumber(nextNumber - 1);
    this.#arrivalUs = arrivalUs;
    latch.wentOn(packets, arrivalUs, lastNumber);
    inactivity.alive(arrivalUs);
    payloadTypes.wentOn(lastNumber, toRtpTimestamp(nextTime - ticks));
    protection.wentOn(lastNumber);
  }

  /** So many noted packets, where they were recorded. */
  #place(packets: number, firstNumber: number, firstTime: number): void {
    const capture = this.#capture!;
    const isHeard = this.#heard !== undefined;
    const [numberOffset, timeOffset] = isHeard ? [this.#sequenceOffset, this.#timeOffset] : [0, 0];
    const sequenceNumber = toSequenceNumber(firstNumber + numberOffset);
    noted.fill(packets, sequenceNumber, toRtpTimestamp(firstTime + timeOffset), this.#ticks);
    const at = isHeard ? this.#heardNotesAt : rows.notesAt(this.#row);
    noted.cameAt(rows.notes.times, at, capture.originUs);
    capture.placeSeries(noted);
  }

  /**
   * Where the packets are recorded: in the room, with the call, or with the call of the other leg, as what that hears.
   * @param relayed undefined: they are mixed
   * @returns undefined where somebody is to be given each packet, or two are to have it
   */
  #findCapture(format: ReceiveFormat, relayed: FastRelay | undefined): FastCapture | undefined {
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
    if (found.includes(undefined) || recording.length > 1) return undefined;
    const only = recording[0] ?? found[0]!;
    this.#capture = only;
    this.#heard = recording.length > 0 && only === ofHeard ? heard : undefined;
    if (this.#heard && this.#heardNotesAt < 0) this.#heardNotesAt = rows.notes.takeRow();
    return only;
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
