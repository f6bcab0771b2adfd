import { rtpHeaderBytes } from './packet.ts';
import { ipv4Bytes } from './socket-address.ts';

/** 128 bytes: two lines of the processor's cache. */
export const rowWords = 32;
const firstRows = 64;
/** Version 2 and nothing else: neither padding nor extension nor sources. */
export const plainFirstByte = 0x80;

/** Words of a row. Those from `free` on are the taker's. */
const word = {
  bytes: 0,
  source0: 1,
  source1: 2,
  payloadType: 3,
  sequenceNumber: 4,
  rtpTime: 5,
  ssrc: 6,
  /** Connected to where the stream is relayed to; -1: there is none. */
  socket: 7,
};
export const freeWord = 8;

/** The packet that goes on with the last one of a stream. */
export interface NextPacket {
  /** Of the datagram. */
  bytes: number;
  payloadType: number;
  sequenceNumber: number;
  /** These as signed numbers, or not. */
  rtpTime: number;
  ssrc: number;
}

/**
 * @param row of the packet's stream; `arrivalsUs` says when it came
 * @param data valid only during the call
 * @returns false: it is to be handed out as any other; nothing was done with it
 */
export type PacketTaker = (row: number, data: Uint8Array) => boolean;

/**
 * What comes next of each of many steady streams: a row of numbers for each, in one piece of memory. Of the objects of a
 * leg each lies in a page of its own, and with hundreds of legs each packet would wait for a dozen of them.
 */
export class ExpectedPackets {
  /** Row after row; a row is known by the index of its first word, and there is none at 0. */
  words = new Int32Array(firstRows * rowWords);
  /**
   * Monotonic microseconds, by the number of the row: when the packet came that is offered. As an argument of a function
   * each would be an object.
   */
  arrivalsUs = new Float64Array(firstRows);
  readonly #take: PacketTaker;
  #rows = 1;
  readonly #free: number[] = [];

  constructor(take: PacketTaker) {
    this.#take = take;
  }

  /** @returns one that nobody else has, and that expects nothing */
  takeRow(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const row = this.#rows++ * rowWords;
    if (row >= this.words.length) {
      const grown = new Int32Array(2 * this.words.length);
      grown.set(this.words);
      this.words = grown;
      const arrivalsUs = new Float64Array(2 * this.arrivalsUs.length);
      arrivalsUs.set(this.arrivalsUs);
      this.arrivalsUs = arrivalsUs;
    }
    return row;
  }

  giveBack(row: number): void {
    this.words.fill(0, row, row + rowWords);
    this.#free.push(row);
  }

  expect(row: number, next: NextPacket): void {
    const { words } = this;
    words[row + word.bytes] = next.bytes;
    words[row + word.payloadType] = next.payloadType;
    words[row + word.sequenceNumber] = next.sequenceNumber;
    words[row + word.rtpTime] = next.rtpTime;
    words[row + word.ssrc] = next.ssrc;
  }

  /** Until `expect` nothing is the next packet. */
  stop(row: number): void {
    this.words[row + word.bytes] = 0;
  }

  /** The stream's packets come from here: the first two words of a sockaddr_in; 0 of what is none. */
  comesFrom(row: number, source0: number, source1: number): void {
    this.words[row + word.source0] = source0;
    this.words[row + word.source1] = source1;
  }

  /** The stream is relayed by this connected socket; -1: by none. */
  sendsBy(row: number, socket: number): void {
    this.words[row + word.socket] = socket;
  }

  socket(row: number): number {
    return this.words[row + word.socket]!;
  }

  /** One was taken. */
  goOn(row: number, ticks: number): void {
    const { words } = this;
    words[row + word.sequenceNumber] = (words[row + word.sequenceNumber]! + 1) & 0xffff;
    words[row + word.rtpTime]! += ticks;
  }

  sequenceNumber(row: number): number {
    return this.words[row + word.sequenceNumber]!;
  }

  /** As a signed number. */
  rtpTime(row: number): number {
    return this.words[row + word.rtpTime]!;
  }

  /** The packet is the next one, and `arrivalsUs` says when it came. @returns whether it was taken */
  offer(row: number, data: Uint8Array): boolean {
    return this.#take(row, data);
  }

  /** As `offer`. */
  take(row: number, data: Uint8Array, arrivalUs: number): boolean {
    this.arrivalsUs[row / rowWords] = arrivalUs;
    return this.#take(row, data);
  }

  /** Whatever its source. */
  isNext(row: number, data: Uint8Array): boolean {
    const { words } = this;
    return (
      data.length === words[row + word.bytes] &&
      data[0] === plainFirstByte &&
      data[1] === words[row + word.payloadType] &&
      ((data[2]! << 8) | data[3]!) === words[row + word.sequenceNumber] &&
      readInt32(data, 4) === words[row + word.rtpTime] &&
      readInt32(data, 8) === words[row + word.ssrc]
    );
  }

  /** @param from in which the sockaddr of a datagram is, from this index on and of so many bytes */
  isFrom(row: number, from: Uint32Array, at: number, bytes: number): boolean {
    const { words } = this;
    return (
      bytes === ipv4Bytes &&
      (from[at]! | 0) === words[row + word.source0] &&
      (from[at + 1]! | 0) === words[row + word.source1]
    );
  }

  /** Of a datagram. */
  bytes(row: number): number {
    return this.words[row + word.bytes]!;
  }

  payloadBytes(row: number): number {
    return this.bytes(row) - rtpHeaderBytes;
  }
}

function readInt32(data: Uint8Array, offset: number): number {
  return (data[offset]! << 24) | (data[offset + 1]! << 16) | (data[offset + 2]! << 8) | data[offset + 3]!;
}
