import { readFileSync } from 'node:fs';
import type { PayloadSeries } from './codec.ts';

/** `wasm/samples`: addresses are bytes in `memory`. */
interface SampleKernelExports {
  readonly memory: WebAssembly.Memory;
  bytes(): number;
  samples(): number;
  left(): number;
  right(): number;
  pairs(): number;
  decodeUlaw(count: number, payloadBytes: number, strideBytes: number): void;
  decodeAlaw(count: number, payloadBytes: number, strideBytes: number): void;
  interleave(count: number): void;
}

const maxBytes = 65_536;
export const maxKernelSamples = 40_960;
/** Payloads that lie no farther apart can be decoded by it. */
export const maxKernelStrideBytes = 8192;

/**
 * What is done for each sample of audio that is read in long stretches, as SIMD WebAssembly: a fraction of what it takes
 * one by one. One for all signals of a thread: but for `left` and `right`, nothing stays in it from one call to the next.
 */
export class SampleKernel {
  /** The two sides of what is put together next. */
  readonly left: Int16Array;
  readonly right: Int16Array;
  readonly #run: SampleKernelExports;
  readonly #bytes: Uint8Array;
  readonly #samples: Int16Array;
  readonly #pairs: Int16Array;

  constructor() {
    const module = new WebAssembly.Module(
      readFileSync(new URL('../../wasm/samples/samples.wasm', import.meta.url)),
    );
    this.#run = new WebAssembly.Instance(module, {}).exports as unknown as SampleKernelExports;
    const { buffer } = this.#run.memory;
    this.#bytes = new Uint8Array(buffer, this.#run.bytes(), maxBytes);
    this.#samples = new Int16Array(buffer, this.#run.samples(), maxKernelSamples);
    this.left = new Int16Array(buffer, this.#run.left(), maxKernelSamples);
    this.right = new Int16Array(buffer, this.#run.right(), maxKernelSamples);
    this.#pairs = new Int16Array(buffer, this.#run.pairs(), 2 * maxKernelSamples);
  }

  /** As `Decoder.decodeSeries`, of G.711. @param payloads no farther apart than `maxKernelStrideBytes` */
  decode(law: 'ulaw' | 'alaw', payloads: PayloadSeries, out: Int16Array, outOffset: number): void {
    const { bytes, count, payloadBytes, strideBytes } = payloads;
    const most = Math.min(Math.floor(maxBytes / strideBytes), Math.floor(maxKernelSamples / payloadBytes));
    for (let from = 0; from < count; from += most) {
      const taken = Math.min(most, count - from);
      const end = (from + taken - 1) * strideBytes + payloadBytes;
      this.#bytes.set(bytes.subarray(from * strideBytes, end));
      if (law === 'ulaw') this.#run.decodeUlaw(taken, payloadBytes, strideBytes);
      else this.#run.decodeAlaw(taken, payloadBytes, strideBytes);
      out.set(this.#samples.subarray(0, taken * payloadBytes), outOffset + from * payloadBytes);
    }
  }

  /** Puts the first samples of `left` and `right` together: `count` of each, into `out` from `outOffset`. */
  interleave(count: number, out: Int16Array, outOffset: number): void {
    this.#run.interleave(count);
    out.set(this.#pairs.subarray(0, 2 * count), outOffset);
  }
}

let shared: SampleKernel | undefined;

/** The one of this thread. */
export function sampleKernel(): SampleKernel {
  return (shared ??= new SampleKernel());
}
