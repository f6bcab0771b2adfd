import type { EngineHost } from './engine-host.ts';
import type { Recognition, SpeechRecognizer } from './recognize-piece.ts';
import type { SpeechPiece } from './speech-segmenter.ts';
import type { SpeechFinder } from './transcribe-channel.ts';

/** Finds speech, and recognises it, in an engine process. */
export class EngineSpeechFinder implements SpeechFinder, SpeechRecognizer {
  readonly #host: EngineHost;
  readonly #signal: AbortSignal;

  constructor(host: EngineHost, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
  }

  async open(rateHz: number): Promise<void> {
    await this.#host.call({ verb: 'open', rateHz }, this.#signal);
  }

  push(chunk: Int16Array): Promise<SpeechPiece[]> {
    return this.#host.call({ verb: 'push', chunk }, this.#signal);
  }

  end(): Promise<SpeechPiece[]> {
    return this.#host.call({ verb: 'end' }, this.#signal);
  }

  async recognize(samples: Int16Array<ArrayBuffer>): Promise<Recognition> {
    const text = await this.#host.call({ verb: 'recognize', samples }, this.#signal);
    return { text, parts: [{ text }] };
  }
}
