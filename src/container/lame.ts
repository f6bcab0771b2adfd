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
  readonly #channels: 1 | 2;
  /** Of each channel, in one call. */
  readonly #maxSamples: number;

  /** @throws CallreelError REQUEST_INVALID for a shape that LAME does not take */
  constructor(rateHz: number, channels: 1 | 2, bitRateKbps: number) {
    compiled ??= new WebAssembly.Module(readFileSync(new URL('../../wasm/lame/lame.wasm', import.meta.url)));
    this.#lame = new WebAssembly.Instance(compiled, imports).exports as unknown as LameExports;
    this.#lame._initialize();
    this.#channels = channels;
    this.#maxSamples = this.#lame.maxSamples();
    if (this.#lame.open(rateHz, channels, bitRateKbps, quality) < 0)
      throw new CallreelError('REQUEST_INVALID', `no MP3 at ${rateHz} Hz with ${bitRateKbps} kbit/s`);
  }

  /**
   * @param samples interleaved
   * @returns the finished frames, a copy
   */
  encode(samples: Int16Array): Uint8Array {
    const step = this.#channels;
    const parts: Uint8Array[] = [];
    for (let from = 0; from < samples.length; from += this.#maxSamples * step) {
      const part = samples.subarray(from, from + this.#maxSamples * step);
      this.#put(this.#lame.left(), part, 0);
      if (step === 2) this.#put(this.#lame.right(), part, 1);
      parts.push(this.#frames(this.#lame.encode(part.length / step)));
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  finish(): Uint8Array {
    return this.#frames(this.#lame.finish());
  }

  /** One channel of interleaved samples. */
  #put(address: number, samples: Int16Array, channel: 0 | 1): void {
    const step = this.#channels;
    const area = new Int16Array(this.#lame.memory.buffer, address, samples.length / step);
    if (step === 1) area.set(samples);
    else for (let k = 0; k < area.length; k += 1) area[k] = samples[k * step + channel]!;
  }

  #frames(bytes: number): Uint8Array {
    if (bytes < 0) throw new CallreelError('RENDER_FAILED', `LAME failed with ${bytes}`);
    return new Uint8Array(this.#lame.memory.buffer, this.#lame.frames(), bytes).slice();
  }
}
