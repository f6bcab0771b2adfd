import { writeUint32 } from '../big-endian.ts';
import { ExpectedPackets, freeWord, rowWords } from '../rtp/expected-packets.ts';
import { rtpHeaderBytes } from '../rtp/packet.ts';
import { type ConnectedSends, mostConnectedBytes, type TransportPort } from '../rtp/transport.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import { ArrivalNotes, notedPackets } from './arrival-notes.ts';
import type { FastCapture } from './capture-sink.ts';
import type { FastRelay } from './leg-output.ts';
import type { SlotCount } from './slot-count.ts';

/** Words of a row of `ExpectedPackets`, behind its own. */
const word = {
  ticks: freeWord,
  /** 0: packets are relayed by what stands here. 1: the path is asked for each. */
  isAsked: freeWord + 1,
  notesAt: freeWord + 2,
  noted: freeWord + 3,
  room: freeWord + 4,
  sentPayloadType: freeWord + 5,
  sequenceOffset: freeWord + 6,
  timeOffset: freeWord + 7,
  sentSsrc: freeWord + 8,
  remotePort: freeWord + 9,
  /** How far the time that is sent may lie from that of the slots, which was `slotTime` behind `slotBase` of them. */
  mostTicksApart: freeWord + 10,
  slotTime: freeWord + 11,
  slotBase: freeWord + 12,
  slotTicks: freeWord + 13,
  /** Slots behind `slotBase` when the last packet came. */
  lastSlot: freeWord + 14,
  /** Handle of the segment; 0: they are not recorded. */
  segment: freeWord + 15,
  /** Position 0 of the spool's times, in units and what is beyond. */
  originUnits: freeWord + 16,
  originRest: freeWord + 17,
};
const originUnit = 2 ** 20;

/** What a row's packets are for: who is told of them, and asked where `isAsked`. */
export interface RowPath {
  /** @returns false where it can not be taken so */
  take(data: Uint8Array): boolean;
  /** Tells whoever is to know what came. */
  tell(): void;
}

/**
 * The fast paths of all legs of a thread, in rows of numbers: what a packet that goes on with the last one needs to be
 * relayed, recorded and noted, so that it touches a row and what all legs share.
 */
export class FastRows {
  readonly expected = new ExpectedPackets((row, data) => this.#take(row, data));
  readonly notes = new ArrivalNotes();
  /** These by the number of the row. */
  readonly #paths: (RowPath | undefined)[] = [];
  readonly #ports: (TransportPort | undefined)[] = [];
  readonly #addresses: string[] = [];
  readonly #senders: (ConnectedSends | undefined)[] = [];
  readonly #slots: (SlotCount | undefined)[] = [];
  readonly #spools: (SpoolProducer | undefined)[] = [];

  takeRow(path: RowPath): number {
    const row = this.expected.takeRow();
    this.#paths[row / rowWords] = path;
    this.expected.words[row + word.notesAt] = this.notes.takeRow();
    return row;
  }

  giveBack(row: number): void {
    const { words } = this.expected;
    this.notes.giveBack(words[row + word.notesAt]!);
    this.close(row);
    this.#paths[row / rowWords] = undefined;
    this.expected.giveBack(row);
  }

  /** Nothing of it is noted. @param room how many packets are noted before they are told */
  open(row: number, ticks: number, room: number): void {
    const { words } = this.expected;
    words[row + word.ticks] = ticks;
    words[row + word.noted] = 0;
    words[row + word.room] = room;
    words[row + word.isAsked] = 1;
    this.expected.sendsBy(row, -1);
  }

  /** Nothing is the next packet any more. */
  close(row: number): void {
    this.expected.stop(row);
    const index = row / rowWords;
    this.#ports[index]?.sendsNoMore?.(row);
    this.#ports[index] = undefined;
    this.#senders[index] = undefined;
    this.#slots[index] = undefined;
    this.#spools[index] = undefined;
  }

  record(row: number, { spool, segment, originUs }: FastCapture): void {
    const { words } = this.expected;
    this.#spools[row / rowWords] = spool;
    words[row + word.segment] = segment?.handle ?? 0;
    const units = Math.floor(originUs / originUnit);
    words[row + word.originUnits] = units;
    words[row + word.originRest] = originUs - units * originUnit;
  }

  /** @param slotBase slots that passed @param isAsked the path is asked for each packet all the same */
  relay(row: number, relayed: FastRelay, slots: SlotCount, slotBase: number, isAsked: boolean): void {
    const { words } = this.expected;
    const index = row / rowWords;
    this.#ports[index] = relayed.port;
    this.#addresses[index] = relayed.address;
    this.#slots[index] = slots;
    this.#senders[index] = relayed.port.sendsFor?.(this.expected, row, relayed.address, relayed.remotePort);
    words[row + word.isAsked] = isAsked ? 1 : 0;
    words[row + word.sentPayloadType] = relayed.payloadType;
    words[row + word.sequenceOffset] = relayed.sequenceOffset;
    words[row + word.timeOffset] = relayed.timeOffset;
    words[row + word.sentSsrc] = relayed.ssrc;
    words[row + word.remotePort] = relayed.remotePort;
    words[row + word.mostTicksApart] = relayed.mostTicksApart;
    words[row + word.slotTime] = relayed.slotTimestamp;
    words[row + word.slotBase] = slotBase;
    words[row + word.slotTicks] = relayed.slotTicks;
  }

  /** Packets that nobody was told of; from now on there are none. */
  takeNoted(row: number): number {
    const { words } = this.expected;
    const noted = words[row + word.noted]!;
    words[row + word.noted] = 0;
    words[row + word.room] = notedPackets;
    return noted;
  }

  /** Where the arrivals of the noted packets are. */
  notesAt(row: number): number {
    return this.expected.words[row + word.notesAt]!;
  }

  isRecorded(row: number): boolean {
    return this.expected.words[row + word.segment] !== 0;
  }

  /** Slots behind the `slotBase` of `relay` when the last packet came, or would have. */
  lastSlot(row: number): number {
    return this.expected.words[row + word.lastSlot]!;
  }

  setLastSlot(row: number, slot: number): void {
    this.expected.words[row + word.lastSlot] = slot;
  }

  /**
   * @param rtpTime signed: all numbers here are such as need no object where a function is given them
   * @param timesUs in which the one at `at` says when it came, or is heard
   * @returns false where there is no space
   */
  recordPacket(
    row: number,
    data: Uint8Array,
    sequenceNumber: number,
    rtpTime: number,
    timesUs: Float64Array,
    at: number,
  ): boolean {
    const { words } = this.expected;
    const originUs = words[row + word.originUnits]! * originUnit + words[row + word.originRest]!;
    const recordedUs = Math.max(0, timesUs[at]! - originUs);
    const high = Math.floor(recordedUs / 2 ** 32) | 0;
    const handle = words[row + word.segment]!;
    const spool = this.#spools[row / rowWords]!;
    return spool.tryPacket(handle, sequenceNumber, rtpTime, high, recordedUs | 0, data, rtpHeaderBytes);
  }

  /**
   * As it comes, or as the other leg is sent it where `hearing` has to do with that.
   * @returns false where it can be neither sent nor recorded so
   */
  relayPacket(row: number, data: Uint8Array, hearing?: Hearing): boolean {
    const { expected } = this;
    const { words } = expected;
    const sequenceNumber = expected.sequenceNumber(row);
    const rtpTime = expected.rtpTime(row);
    const index = row / rowWords;
    const slot = (this.#slots[index]!.passed - words[row + word.slotBase]!) | 0;
    const sentTime = (rtpTime + words[row + word.timeOffset]!) | 0;
    const slotTime = words[row + word.slotTime]! + Math.imul(slot, words[row + word.slotTicks]!);
    if (Math.abs((sentTime - slotTime) | 0) > words[row + word.mostTicksApart]!) return false;
    const sentNumber = (sequenceNumber + words[row + word.sequenceOffset]!) & 0xffff;
    if (words[row + word.segment] !== 0) {
      const isKept = hearing
        ? this.recordPacket(
            row,
            data,
            sentNumber,
            sentTime,
            this.notes.times,
            hearing.hears(words[row + word.noted]!),
          )
        : this.recordPacket(row, data, sequenceNumber, rtpTime, expected.arrivalsUs, index);
      if (!isKept) return false;
    }
    const socket = expected.socket(row);
    const by = socket < 0 || data.length > mostConnectedBytes ? undefined : this.#senders[index];
    const out = by ? by.bytes : this.#ports[index]!.reserve(data.length);
    out.set(data);
    out[1] = words[row + word.sentPayloadType]!;
    out[2] = sentNumber >>> 8;
    out[3] = sentNumber;
    writeUint32(out, 4, sentTime);
    writeUint32(out, 8, words[row + word.sentSsrc]!);
    if (by) by.sendConnected(socket, data.length);
    else this.#ports[index]!.commit(data.length, this.#addresses[index]!, words[row + word.remotePort]!);
    words[row + word.lastSlot] = slot;
    return true;
  }

  #take(row: number, data: Uint8Array): boolean {
    const { expected } = this;
    const isTaken =
      expected.words[row + word.isAsked] === 0
        ? this.relayPacket(row, data)
        : this.#paths[row / rowWords]!.take(data);
    if (!isTaken) return false;
    const { words } = expected;
    expected.goOn(row, words[row + word.ticks]!);
    const noted = words[row + word.noted]!;
    this.notes.times[words[row + word.notesAt]! + noted] = expected.arrivalsUs[row / rowWords]!;
    words[row + word.noted] = noted + 1;
    if (noted + 1 >= words[row + word.room]!) this.#paths[row / rowWords]!.tell();
    return true;
  }
}

/** Whoever records what the other leg is sent. */
export interface Hearing {
  /** Notes when this packet is heard, the so many-eth since they were told. @returns where in the notes */
  hears(noted: number): number;
}
