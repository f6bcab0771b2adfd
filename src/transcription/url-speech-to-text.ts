import type { EngineKeeperOptions } from './engine-keeper.ts';
import { EnginePool } from './engine-pool.ts';
import type { EngineSettings } from './engine-protocol.ts';
import { EngineSpeechFinder } from './engine-speech-finder.ts';
import { refuseUnserved, unservedReason } from './locales.ts';
import { type ServerRecognizerOptions, TranscriptionServer } from './server-recognizer.ts';
import type { ChannelAudio, ChannelSpeech, ChannelWish, SpeechToText } from './speech-to-text.ts';
import { transcribeChannel } from './transcribe-channel.ts';

export interface UrlSpeechToTextOptions extends ServerRecognizerOptions {
  /** ISO 639-1. */
  languages: ReadonlySet<string>;
  /** @throws CallreelError TRANSCRIPTION_* */
  prepare(signal: AbortSignal): Promise<EngineSettings>;
  engine: EngineKeeperOptions;
  /** Recordings that are transcribed at once. */
  concurrency?: number | undefined;
}

/**
 * A server of the operator's recognises; where somebody speaks is found here, as recognisers invent words for silence
 * and music.
 */
export class UrlSpeechToText implements SpeechToText {
  readonly name = 'url';
  readonly model: string;
  readonly #options: UrlSpeechToTextOptions;
  readonly #server: TranscriptionServer;
  readonly #recordings: EnginePool;
  readonly #urgent: EnginePool;

  constructor(options: UrlSpeechToTextOptions) {
    this.model = options.model;
    this.#options = options;
    this.#server = new TranscriptionServer(options);
    this.#recordings = new EnginePool(options.engine, options.concurrency ?? 1);
    this.#urgent = new EnginePool({ ...options.engine, niceness: 0 }, 1);
  }

  unservedReason(locale: string): string | undefined {
    return unservedReason(locale, this.#options.languages, `the speech-to-text server (${this.model})`);
  }

  async transcribe(audio: ChannelAudio, { locale, signal, isUrgent }: ChannelWish): Promise<ChannelSpeech> {
    refuseUnserved(this.unservedReason(locale));
    const engines = isUrgent ? this.#urgent : this.#recordings;
    return engines.use(
      (either) => this.#options.prepare(either),
      (host, either) =>
        transcribeChannel(
          audio,
          new EngineSpeechFinder(host, either),
          this.#server.recognizer(locale, either, isUrgent),
          either,
        ),
      signal,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#recordings.close(), this.#urgent.close()]);
    await this.#server.close();
  }
}
