import { readFileSync } from 'node:fs';
import { CallreelError } from '../errors.ts';

/**
 * LAME 3.100 as WebAssembly (`wasm/lame`). Its output functions are never called: the imports that the C library
 * needs for them refuse.
 */
interface LameExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  left(): number;
  right(): number;
  frames(): number;
  maxSamples(): number;
  open(rateHz: number, channels: number, kbps: number, quality: number): number;
  encode(samples: number): number;
  finish(): number;
}

/** LAME's own scale, 0 to 9. On telephone speech 3 costs twice as much as 7 and measures no better. */
const quality = 7;

const badDescriptor = 8;
const refuse = (): number => badDescriptor;
const imports = {
  wasi_snapshot_preview1: {
    fd_close: refuse,
    fd_seek: refuse,
    fd_write: refuse,
    proc_exit(): never {
      throw new CallreelError('RENDER_FAILED', 'LAME ended itself');
    },
  },
};

let compiled: WebAssembly.Module | undefined;

/** One encoder, in an instance of its own. */
export class Lame {
  readonly #lame: LameExports;
  readonly #maxSamples: number;

  /** @throws CallreelError REQUEST_INVALID for a shape that LAME does not take */
  constructor(rateHz: number, channels: number, bitRateKbps: number) {
    compiled ??= new WebAssembly.Module(
      readFileSync(new URL('../../wasm/lame/lame.wasm', import.meta.url)),
    );
    this.#lame = new WebAssembly.Instance(compiled, imports).exports as unknown as LameExports;
    this.#lame._initialize();
    this.#maxSamples = this.#lame.maxSamples();
    if (this.#lame.open(rateHz, channels, bitRateKbps, quality) < 0)
      throw new CallreelError('REQUEST_INVALID', `no MP3 at ${rateHz} Hz with ${bitRateKbps} kbit/s`);
  }

  /** @returns the finished frames, a copy */
  encode(channels: readonly Int16Array[]): Uint8Array {
    const length = channels[0]?.length ?? 0;
    const parts: Uint8Array[] = [];
    for (let from = 0; from < length; from += this.#maxSamples) {
      const to = Math.min(length, from + this.#maxSamples);
      this.#put(this.#lame.left(), channels[0], from, to);
      this.#put(this.#lame.right(), channels[1], from, to);
      parts.push(this.#frames(this.#lame.encode(to - from)));
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  finish(): Uint8Array {
    return this.#frames(this.#lame.finish());
  }

  #put(address: number, samples: Int16Array | undefined, from: number, to: number): void {
    if (samples) new Int16Array(this.#lame.memory.buffer, address, to - from).set(samples.subarray(from, to));
  }

  #frames(bytes: number): Uint8Array {
    if (bytes < 0) throw new CallreelError('RENDER_FAILED', `LAME failed with ${bytes}`);
    return new Uint8Array(this.#lame.memory.buffer, this.#lame.frames(), bytes).slice();
  }
}
