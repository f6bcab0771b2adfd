import { type FfiModule, PinnedBytes } from './libc.ts';
import { socketAddressBytes } from './socket-address.ts';

/**
 * A `struct msghdr` of 64 bits with one `struct iovec`, the address and, where there is one, the control data behind
 * it, in one piece of memory:
 *
 *     0 msg_name  8 msg_namelen  16 msg_iov  24 msg_iovlen  32 msg_control  40 msg_controllen  48 msg_flags
 *     56 iov_base  64 iov_len  72 address  104 control data
 */
const nameOffset = 72;
const controlOffset = nameOffset + socketAddressBytes;

const nameLengthWord = 2;
const controlLengthWord = 10;
const flagsWord = 12;
const dataPointerWord = 14;
const dataLengthWord = 16;

export class MessageHeader {
  readonly #memory: PinnedBytes;
  /** Where its bytes lie; kept for as long as the kernel may be shown it. */
  readonly #data: PinnedBytes;
  /** All of it; where in it the `sockaddr` and the control data begin. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly nameAt = nameOffset / 4;
  readonly controlAt = controlOffset / 4;
  /** The addresses of the message, of its `sockaddr`, of its bytes and of its frame, each in two words. */
  readonly pointerWords: Uint32Array<ArrayBuffer>;
  readonly namePointerWords: Uint32Array<ArrayBuffer>;
  readonly dataPointerWords: Uint32Array<ArrayBuffer>;
  readonly framePointerWords: Uint32Array<ArrayBuffer>;
  readonly #frameBytes: number;

  /**
   * @param controlBytes a multiple of 8
   * @param frameBytes of `data`, which may stand in front of a message's bytes; these begin at `dataAt(frameBytes)`
   */
  constructor(ffi: FfiModule, data: PinnedBytes, controlBytes = 0, frameBytes = 0) {
    this.#frameBytes = frameBytes;
    const memory = new PinnedBytes(ffi, controlOffset + controlBytes);
    const at = (offset: number): bigint => memory.pointer + BigInt(offset);
    this.#memory = memory;
    this.#data = data;
    this.words = memory.words;
    memory.point(0, at(nameOffset));
    memory.point(4, at(56));
    memory.words[6] = 1;
    if (controlBytes > 0) memory.point(8, at(controlOffset));
    const pointer = data.pointer + BigInt(dataAt(frameBytes));
    memory.point(dataPointerWord, pointer);
    this.dataPointerWords = wordsOf(pointer);
    this.framePointerWords = wordsOf(pointer - BigInt(frameBytes));
    this.pointerWords = wordsOf(memory.pointer);
    this.namePointerWords = wordsOf(at(nameOffset));
  }

  get pointer(): bigint {
    return this.#memory.pointer;
  }

  get data(): PinnedBytes {
    return this.#data;
  }

  /** @param words a `sockaddr` of so many bytes */
  aim(words: Uint32Array, bytes: number): void {
    const own = this.words;
    own[nameLengthWord] = bytes;
    for (let i = 0; i < bytes / 4; i++) own[nameOffset / 4 + i] = words[i]!;
  }

  get nameBytes(): number {
    return this.words[nameLengthWord]!;
  }

  set nameBytes(bytes: number) {
    this.words[nameLengthWord] = bytes;
  }

  get controlBytes(): number {
    return this.words[controlLengthWord]!;
  }

  set controlBytes(bytes: number) {
    this.words[controlLengthWord] = bytes;
  }

  get flags(): number {
    return this.words[flagsWord]!;
  }

  /** @param bytes at most as many as `data` has @param isFramed the message begins with the frame */
  setData(bytes: number, isFramed = false): void {
    const pointer = isFramed ? this.framePointerWords : this.dataPointerWords;
    this.words[dataPointerWord] = pointer[0]!;
    this.words[dataPointerWord + 1] = pointer[1]!;
    this.words[dataLengthWord] = isFramed ? this.#frameBytes + bytes : bytes;
  }
}

/** Behind a frame the bytes begin at a word of 64 bits. */
export function dataAt(frameBytes: number): number {
  return (frameBytes + 7) & ~7;
}

function wordsOf(pointer: bigint): Uint32Array<ArrayBuffer> {
  return Uint32Array.of(Number(pointer & 0xffff_ffffn), Number(pointer >> 32n));
}
