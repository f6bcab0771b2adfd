import type { Clock } from '../clock.ts';
import { type AudioFileRateHz, openAudioFile } from '../container/audio-file.ts';
import type { AudioFileWriter, FilePart } from '../container/writer.ts';
import { CallreelError } from '../errors.ts';
import { GrowingSignal } from '../render/growing-signal.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import type { MasterKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import type { EncodeOrder } from './encode-protocol.ts';

export interface EncodeDeskOptions {
  spoolDir: string;
  masterKey: MasterKey;
  lossConcealment: 'on' | 'off';
  clock: Clock;
  /** A file that grows beyond it is given up. */
  maxFileBytes?: number;
}

interface Encoding {
  signal: GrowingSignal;
  writer: AudioFileWriter | undefined;
  file: GrowingBytes;
}

const defaultMaxFileBytes = 32 * 1024 * 1024;

/** What the encode thread does, without the thread: MP3 files that grow in memory along with their recordings. */
export class EncodeDesk {
  readonly #options: EncodeDeskOptions & { maxFileBytes: number };
  readonly #encodings = new Map<string, Encoding>();

  constructor(options: EncodeDeskOptions) {
    this.#options = { maxFileBytes: defaultMaxFileBytes, ...options };
  }

  /** One that runs already is caught up with by the next step. */
  follow({ conversationId, recordingId, stereo }: EncodeOrder): void {
    const { spoolDir, masterKey, lossConcealment, clock } = this.#options;
    const directory = conversationDirectoryOf(spoolDir, conversationId);
    const recording = new GrowingRecording(directory, recordingId, masterKey);
    const off = lossConcealment === 'off' ? lossConcealment : undefined;
    const signal = new GrowingSignal({ recording, stereo, lossConcealment: off, clock });
    this.#encodings.set(recordingId, { signal, writer: undefined, file: new GrowingBytes() });
  }

  /** What goes wrong ends the encoding and nothing else: the file is made at its end then. */
  step(recordingIds: readonly string[]): void {
    for (const recordingId of recordingIds) {
      const encoding = this.#encodings.get(recordingId);
      try {
        if (encoding) this.#advance(encoding);
      } catch (error) {
        // It is not in the spool yet.
        if (encoding?.writer || !(error instanceof CallreelError) || error.code !== 'NOT_FOUND')
          this.drop(recordingId);
      }
    }
  }

  /** @returns the file of an ended recording, byte for byte its rendition; undefined where there is none */
  take(recordingId: string): Uint8Array<ArrayBuffer> | undefined {
    const encoding = this.#encodings.get(recordingId);
    try {
      if (!encoding) return undefined;
      this.#advance(encoding);
      const { signal, writer, file } = encoding;
      if (!signal.isComplete || !writer) return undefined;
      file.put(writer.finish());
      return file.bytes();
    } catch {
      return undefined;
    } finally {
      this.drop(recordingId);
    }
  }

  drop(recordingId: string): void {
    this.#encodings.get(recordingId)?.signal.close();
    this.#encodings.delete(recordingId);
  }

  #advance(encoding: Encoding): void {
    const { signal, file } = encoding;
    encoding.writer ??= openAudioFile({
      format: 'mp3',
      rateHz: signal.rateHz as AudioFileRateHz,
      channels: signal.channels,
    });
    for (const samples of signal.advance()) {
      file.put(encoding.writer.write(samples));
      if (file.byteLength > this.#options.maxFileBytes)
        throw new CallreelError('RENDER_FAILED', 'the file is too long to be kept in memory');
    }
  }
}

/** A file in memory. */
class GrowingBytes {
  #bytes = new Uint8Array(1024 * 1024);
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  put(parts: readonly FilePart[]): void {
    for (const { at, bytes } of parts) {
      const end = at + bytes.length;
      if (end > this.#bytes.length) {
        const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
        larger.set(this.#bytes.subarray(0, this.#byteLength));
        this.#bytes = larger;
      }
      this.#bytes.set(bytes, at);
      this.#byteLength = Math.max(this.#byteLength, end);
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#byteLength);
  }
}
