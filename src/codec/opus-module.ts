import { readFileSync } from 'node:fs';

/**
 * libopus as WebAssembly (`wasm/opus`), without imports: payloads from the network are parsed in a sandbox that has
 * nothing but its own memory. All coders of a thread live in one instance; an instance that trapped is given up.
 */
interface OpusExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  samples(): number;
  payload(): number;
  createDecoder(rateHz: number): number;
  decode(decoder: number, payloadBytes: number): number;
  conceal(decoder: number, payloadBytes: number, frameSamples: number): number;
  freeDecoder(decoder: number): void;
  createEncoder(rateHz: number): number;
  setEncoder(encoder: number, request: number, value: number): number;
  encode(encoder: number, frameSamples: number, maxBytes: number): number;
  copyEncoder(encoder: number, from: number): void;
  freeEncoder(encoder: number): void;
}

/** Room of the two areas through which everything goes in and out (`wasm/opus/shim.c`). */
export const opusMaxSamples = 5760;
export const opusMaxPayloadBytes = 8192;

const compiled = new WebAssembly.Module(readFileSync(new URL('../../wasm/opus/opus.wasm', import.meta.url)));

export class OpusInstance {
  readonly exports: OpusExports;
  /** A call into it threw: its memory may be anything. */
  isBroken = false;
  #samples: Int16Array;
  #payload: Uint8Array;

  constructor() {
    this.exports = new WebAssembly.Instance(compiled, {}).exports as unknown as OpusExports;
    this.exports._initialize();
    this.#samples = new Int16Array(0);
    this.#payload = new Uint8Array(0);
  }

  get samples(): Int16Array {
    this.#refresh();
    return this.#samples;
  }

  get payload(): Uint8Array {
    this.#refresh();
    return this.#payload;
  }

  /** @returns what `call` returns, -1 where it trapped */
  call(
    handle: number,
    size: number,
    call: (instance: OpusInstance, handle: number, size: number, limit: number) => number,
    limit = 0,
  ): number {
    try {
      return call(this, handle, size, limit);
    } catch {
      this.isBroken = true;
      return -1;
    }
  }

  /** Memory that grew has another buffer. */
  #refresh(): void {
    const { buffer } = this.exports.memory;
    if (this.#samples.buffer === buffer) return;
    this.#samples = new Int16Array(buffer, this.exports.samples(), opusMaxSamples);
    this.#payload = new Uint8Array(buffer, this.exports.payload(), opusMaxPayloadBytes);
  }
}

let shared: OpusInstance | undefined;

/** The thread's instance, a new one behind one that broke. */
export function opusInstance(): OpusInstance {
  if (!shared || shared.isBroken) shared = new OpusInstance();
  return shared;
}
