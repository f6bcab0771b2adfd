import { rtpHeaderBytes } from '../rtp/packet.ts';

/** Payloads of each of these are kept at once. A power of two. */
export const keptPayloads = 16;
/** Of a slot of G.711. */
export const slotPayloadBytes = 160;
/** A datagram lies there as it came: its payload alone would be a view of its own. */
const placeBytes = rtpHeaderBytes + slotPayloadBytes;
const rowBytes = keptPayloads * placeBytes;
const firstRows = 16;

/** Payloads of a slot each, of many legs in one place: a row for each, which begins anew behind its end. */
export class PayloadRows {
  bytes = new Uint8Array(firstRows * rowBytes);
  #words = new Int32Array(this.bytes.buffer);
  #rows = 0;
  readonly #free: number[] = [];

  /** @returns where a row begins that nobody else has */
  takeRow(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const begin = this.#rows++ * rowBytes;
    if (begin >= this.bytes.length) {
      const grown = new Uint8Array(2 * this.bytes.length);
      grown.set(this.bytes);
      this.bytes = grown;
      this.#words = new Int32Array(grown.buffer);
    }
    return begin;
  }

  giveBack(row: number): void {
    this.#free.push(row);
  }

  /** Whether the payload from `at` on is nothing but these four bytes over and over, in the bits that count. */
  holdsOnly(word: number, bits: number, at: number): boolean {
    const end = (at + slotPayloadBytes) >> 2;
    for (let i = at >> 2; i < end; i++) if (((this.#words[i]! ^ word) & bits) !== 0) return false;
    return true;
  }

  /** Where the payload of this number lies in the row. */
  placeOf(row: number, number: number): number {
    return row + (number & (keptPayloads - 1)) * placeBytes + rtpHeaderBytes;
  }
}
