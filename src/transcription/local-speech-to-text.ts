import { EngineKeeper, type EngineKeeperOptions } from './engine-keeper.ts';
import type { EngineSettings } from './engine-protocol.ts';
import { EngineSpeechFinder } from './engine-speech-finder.ts';
import { languageOf, refuseUnserved, unservedReason } from './locales.ts';
import type { ChannelAudio, ChannelSpeech, ChannelWish, SpeechToText } from './speech-to-text.ts';
import { transcribeChannel } from './transcribe-channel.ts';

export interface LocalSpeechToTextOptions {
  name: 'embedded' | 'model-directory';
  model: string;
  /** ISO 639-1. */
  languages: ReadonlySet<string>;
  /** @throws CallreelError TRANSCRIPTION_* */
  prepare(language: string, signal: AbortSignal): Promise<EngineSettings>;
  engine: EngineKeeperOptions;
}

/** A model of ours or the operator's, in a process of its own. */
export class LocalSpeechToText implements SpeechToText {
  readonly name: 'embedded' | 'model-directory';
  readonly model: string;
  readonly #options: LocalSpeechToTextOptions;
  readonly #keeper: EngineKeeper;

  constructor(options: LocalSpeechToTextOptions) {
    this.name = options.name;
    this.model = options.model;
    this.#options = options;
    this.#keeper = new EngineKeeper(options.engine);
  }

  /** Of the engine's process, 0 while there is none. */
  get pid(): number {
    return this.#keeper.pid;
  }

  unservedReason(locale: string): string | undefined {
    return unservedReason(locale, this.#options.languages, `the ${this.name} engine (${this.model})`);
  }

  async transcribe(audio: ChannelAudio, { locale, signal }: ChannelWish): Promise<ChannelSpeech> {
    refuseUnserved(this.unservedReason(locale));
    const settings = await this.#options.prepare(languageOf(locale) ?? '', signal);
    return this.#keeper.use(
      settings,
      (host, either) => {
        const engine = new EngineSpeechFinder(host, either);
        return transcribeChannel(audio, engine, engine, either);
      },
      signal,
    );
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }
}
