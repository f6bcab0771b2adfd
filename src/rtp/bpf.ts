import { errorName, type OpenedLibc, PinnedBytes } from './libc.ts';

const systemCall = process.arch === 'arm64' ? 280n : 321n;
const command = { createMap: 0n, updateElement: 2n, deleteElement: 3n, loadProgram: 5n, createLink: 28n };
/** Of a `union bpf_attr` (bpf(2)), as much as any of these looks at. */
const attributeBytes = 128;

export const mapType = { hash: 1, sockmap: 15 } as const;
export const lookUpSocket = { programType: 30, attachType: 36 } as const;

/** Instructions of the kernel's machine (RFC 9669), as many as we need. */
export const instruction = {
  copy: (to: number, from: number) => encode(0xbf, to, from, 0, 0),
  set: (to: number, value: number) => encode(0xb7, to, 0, 0, value),
  add: (to: number, value: number) => encode(0x07, to, 0, 0, value),
  loadWord: (to: number, from: number, offset: number) => encode(0x61, to, from, offset, 0),
  loadHalf: (to: number, from: number, offset: number) => encode(0x69, to, from, offset, 0),
  storeWord: (to: number, offset: number, from: number) => encode(0x63, to, from, offset, 0),
  storeZero: (to: number, offset: number) => encode(0x62, to, 0, offset, 0),
  /** Of 32 bits. @param skip instructions */
  skipUnless: (register: number, value: number, skip: number) => encode(0x56, register, 0, skip, value),
  /** Of 64 bits, a null pointer. */
  skipIfZero: (register: number, skip: number) => encode(0x15, register, 0, skip, 0),
  /** Two of them. */
  loadMap: (to: number, map: number) => [...encode(0x18, to, 1, 0, map), ...encode(0, 0, 0, 0, 0)],
  call: (helper: number) => encode(0x85, 0, 0, 0, helper),
  exit: () => encode(0x95, 0, 0, 0, 0),
};

/** Numbers of the kernel's helpers. */
export const helper = { lookUpElement: 1, releaseSocket: 86, assignSocket: 124 } as const;

/** Two words. */
function encode(code: number, to: number, from: number, offset: number, value: number): number[] {
  return [code | (to << 8) | (from << 12) | ((offset & 0xffff) << 16), value];
}

/** What we need of bpf(2), for those whom the kernel lets. Everything is gone with its descriptor. */
export class Bpf {
  readonly #opened: OpenedLibc;
  readonly #attributes: PinnedBytes;
  readonly #key: PinnedBytes;
  readonly #value: PinnedBytes;

  constructor(opened: OpenedLibc) {
    const { ffi } = opened;
    this.#opened = opened;
    this.#attributes = new PinnedBytes(ffi, attributeBytes);
    this.#key = new PinnedBytes(ffi, 16);
    this.#value = new PinnedBytes(ffi, 8);
  }

  /** @returns its descriptor @throws Error where the kernel does not let us */
  createMap(type: number, keyBytes: number, valueBytes: number, entries: number): number {
    const words = this.#clear();
    words.set([type, keyBytes, valueBytes, entries]);
    return this.#made('a map', command.createMap);
  }

  /** @returns whether it is there now */
  set(map: number, key: readonly number[], value: number): boolean {
    this.#value.words[0] = value;
    this.#element(map, key);
    this.#attributes.point(4, this.#value.pointer);
    return this.#call(command.updateElement) === 0;
  }

  delete(map: number, key: readonly number[]): void {
    this.#element(map, key);
    this.#call(command.deleteElement);
  }

  /** @returns its descriptor @throws Error where the kernel does not let us, or does not take it */
  loadProgram(instructions: readonly number[], type: number, attachType: number): number {
    const { ffi } = this.#opened;
    const program = new PinnedBytes(ffi, instructions.length * 4);
    program.words.set(instructions);
    const licence = new PinnedBytes(ffi, 8);
    licence.bytes.set(Buffer.from('MIT\0', 'latin1'));
    const words = this.#clear();
    words.set([type, instructions.length / 2]);
    this.#attributes.point(2, program.pointer);
    this.#attributes.point(4, licence.pointer);
    words[17] = attachType;
    return this.#made('a program', command.loadProgram);
  }

  /** @returns its descriptor @throws Error where the kernel does not let us */
  attach(program: number, target: number, attachType: number): number {
    this.#clear().set([program, target, attachType]);
    return this.#made('a link', command.createLink);
  }

  #element(map: number, key: readonly number[]): void {
    this.#clear()[0] = map;
    this.#key.words.set(key);
    this.#attributes.point(2, this.#key.pointer);
  }

  #clear(): Uint32Array {
    return this.#attributes.words.fill(0);
  }

  #made(what: string, number: bigint): number {
    const fd = this.#call(number);
    if (fd < 0) throw new Error(`bpf, ${what}: ${errorName(this.#opened.libc.errno())}`);
    return fd;
  }

  #call(number: bigint): number {
    const { pointer } = this.#attributes;
    return Number(this.#opened.libc.syscall(systemCall, number, pointer, BigInt(attributeBytes), 0n, 0n, 0n));
  }
}
