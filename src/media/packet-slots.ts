import type { Decoder } from '../codec/codec.ts';
import { type RtpTimestamp, type SequenceNumber, toSequenceNumber } from '../rtp/sequence.ts';

/** What the buffer needs of a packet; sequence number and RTP time as on the wire. */
export interface BufferedPacket {
  readonly ssrc: number;
  readonly sequenceNumber: SequenceNumber;
  readonly rtpTime: RtpTimestamp;
  readonly payload: Uint8Array;
}

/** How many there are: no two packets that wait are farther apart by their numbers. A power of two. */
export const packetSlots = 64;
const slotMask = packetSlots - 1;

/** Words of a slot: what is in it, its sequence number and its RTP time. */
const slotWords = 4;
const sequenceWord = 1;
const timeWord = 2;
const free = 0;
const queued = 1;
const played = 2;

const noPayload = new Uint8Array(0);

/**
 * Packets that wait for their turn, by sequence number. Few of the slots are in use at once and each comes up after
 * more than a second, so there is little memory behind them: the payloads lie in as many pieces as ever waited
 * together, and the one that was left last is taken first.
 */
export class PacketSlots {
  readonly #words = new Int32Array(packetSlots * slotWords);
  /** Of those that wait. */
  readonly #payloads: Uint8Array[] = new Array<Uint8Array>(packetSlots).fill(noPayload);
  readonly #decoders: (Decoder | undefined)[] = new Array<Decoder | undefined>(packetSlots).fill(undefined);
  readonly #spare: Uint8Array[] = [];

  clear(): void {
    for (let slot = 0; slot < packetSlots; slot++) {
      this.#words[slot * slotWords] = free;
      this.#leave(slot);
    }
  }

  /** Whether the packet waits, or was played. */
  has(sequenceNumber: SequenceNumber): boolean {
    const at = (sequenceNumber & slotMask) * slotWords;
    return this.#words[at] !== free && this.#words[at + sequenceWord] === sequenceNumber;
  }

  isQueued(sequenceNumber: SequenceNumber): boolean {
    const at = (sequenceNumber & slotMask) * slotWords;
    return this.#words[at] === queued && this.#words[at + sequenceWord] === sequenceNumber;
  }

  /** @returns the first of those from `from` up to `to` that waits; -1 where none does */
  firstQueued(from: SequenceNumber, to: SequenceNumber): number {
    for (let left = ((to - from) << 16) >> 16, number = from; left >= 0; left--) {
      if (this.isQueued(number)) return number;
      number = toSequenceNumber(number + 1);
    }
    return -1;
  }

  /** Of one that waits, or was played last; as a signed number. */
  rtpTimeOf(sequenceNumber: number): number {
    return this.#words[(sequenceNumber & slotMask) * slotWords + timeWord]!;
  }

  /** Of one that waits; valid until it is played. */
  payloadOf(sequenceNumber: number): Uint8Array {
    return this.#payloads[sequenceNumber & slotMask]!;
  }

  /** Of one that waits. */
  decoderOf(sequenceNumber: number): Decoder | undefined {
    return this.#decoders[sequenceNumber & slotMask];
  }

  /** Copies the payload. */
  store({ sequenceNumber, rtpTime, payload }: BufferedPacket, decoder: Decoder | undefined): void {
    const slot = sequenceNumber & slotMask;
    const at = slot * slotWords;
    this.#leave(slot);
    const kept = fitted(this.#spare.pop(), payload.length);
    kept.set(payload);
    this.#payloads[slot] = kept;
    this.#decoders[slot] = decoder;
    this.#words[at] = queued;
    this.#words[at + sequenceWord] = sequenceNumber;
    this.#words[at + timeWord] = rtpTime;
  }

  /** One that was played without ever being stored. */
  passed(sequenceNumber: number, rtpTime: number): void {
    const at = (sequenceNumber & slotMask) * slotWords;
    this.#leave(sequenceNumber & slotMask);
    this.#words[at] = played;
    this.#words[at + sequenceWord] = sequenceNumber;
    this.#words[at + timeWord] = rtpTime;
  }

  /** The payload's memory is another's from now on. */
  played(sequenceNumber: number): void {
    const slot = sequenceNumber & slotMask;
    this.#words[slot * slotWords] = played;
    this.#leave(slot);
  }

  #leave(slot: number): void {
    const payload = this.#payloads[slot]!;
    if (payload === noPayload) return;
    this.#spare.push(payload);
    this.#payloads[slot] = noPayload;
    this.#decoders[slot] = undefined;
  }
}

/** Of exactly so many bytes, in the memory of the former where there is enough. */
function fitted(former: Uint8Array | undefined, bytes: number): Uint8Array {
  if (former?.length === bytes) return former;
  if (former && former.buffer.byteLength >= bytes && bytes > 0)
    return new Uint8Array(former.buffer, 0, bytes);
  return bytes > 0 ? new Uint8Array(bytes) : new Uint8Array(1).subarray(0, 0);
}
