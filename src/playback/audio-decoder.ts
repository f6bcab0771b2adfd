import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { JobThreads } from '../worker/job-threads.ts';
import type { DecodeJob } from './decode-audio.ts';

export interface AudioDecoderOptions {
  clock: Clock;
  threads?: number;
}

const decodingMs = 60_000;
const maxWaiting = 200;

/** Decodes files on low-priority threads: whatever somebody's URL gave never runs on the server's event loop. */
export class AudioDecoder {
  readonly #threads: JobThreads<DecodeJob, Int16Array<ArrayBuffer>>;

  constructor({ clock, threads = 2 }: AudioDecoderOptions) {
    this.#threads = new JobThreads({
      script: new URL('./decode-thread.ts', import.meta.url),
      threads,
      maxWaiting,
      timeoutMs: decodingMs,
      clock,
      failure: (what) => new CallreelError('AUDIO_INVALID', `the audio cannot be decoded: ${what}`),
    });
  }

  /**
   * Takes the bytes' buffer with it: they are empty afterwards, unless they are a part of a larger buffer.
   * @throws CallreelError AUDIO_INVALID, AUDIO_TOO_LONG, DRAINING
   * @throws the signal's reason
   */
  async decode(
    { bytes, ...job }: DecodeJob & { bytes: Uint8Array<ArrayBuffer> },
    signal?: AbortSignal,
  ): Promise<Int16Array<ArrayBuffer>> {
    const own = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
    return this.#threads.run({ ...job, bytes: own }, { signal, transfer: [own.buffer] });
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
