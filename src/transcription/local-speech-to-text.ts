import { CallreelError } from '../errors.ts';
import type { EngineKeeperOptions } from './engine-keeper.ts';
import { EnginePool } from './engine-pool.ts';
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
  /** Recordings that are transcribed at once. */
  concurrency?: number | undefined;
}

/** Somebody waits on the line. */
const urgentNiceness = 5;

/** A model of ours or the operator's, in a process of its own. */
export class LocalSpeechToText implements SpeechToText {
  readonly name: 'embedded' | 'model-directory';
  readonly model: string;
  readonly #options: LocalSpeechToTextOptions;
  readonly #recordings: EnginePool;
  readonly #urgent: EnginePool;
  readonly #prepared = new Map<string, EngineSettings>();

  constructor(options: LocalSpeechToTextOptions) {
    this.name = options.name;
    this.model = options.model;
    this.#options = options;
    this.#recordings = new EnginePool(options.engine, options.concurrency ?? 1);
    this.#urgent = new EnginePool({ ...options.engine, niceness: urgentNiceness }, 1);
  }

  /** Of a process that transcribes recordings, 0 while there is none. */
  get pid(): number {
    return this.#recordings.pid;
  }

  unservedReason(locale: string): string | undefined {
    return unservedReason(locale, this.#options.languages, `the ${this.name} engine (${this.model})`);
  }

  async transcribe(audio: ChannelAudio, { locale, signal, isUrgent }: ChannelWish): Promise<ChannelSpeech> {
    refuseUnserved(this.unservedReason(locale));
    const language = languageOf(locale) ?? '';
    const engines = isUrgent ? this.#urgent : this.#recordings;
    let wasPrepared = false;
    try {
      return await engines.use(
        (either) => {
          wasPrepared = this.#prepared.has(language);
          return this.#prepare(language, either);
        },
        (host, either) => {
          const engine = new EngineSpeechFinder(host, either);
          return transcribeChannel(audio, engine, engine, either);
        },
        signal,
      );
    } catch (error) {
      // Perhaps its files were damaged since: the next try looks at them again.
      this.#prepared.delete(language);
      throw wasPrepared && isBroken(error) ? mendable(error) : error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#recordings.close(), this.#urgent.close()]);
  }

  async #prepare(language: string, signal: AbortSignal): Promise<EngineSettings> {
    const known = this.#prepared.get(language);
    if (known) return known;
    const settings = await this.#options.prepare(language, signal);
    this.#prepared.set(language, settings);
    return settings;
  }
}

function isBroken(error: unknown): error is CallreelError {
  return error instanceof CallreelError && error.code === 'TRANSCRIPTION_MODEL_BROKEN';
}

/** It could be read before. */
function mendable(cause: CallreelError): CallreelError {
  return new CallreelError('TRANSCRIPTION_UNAVAILABLE', `${cause.message}; its files are looked at again`, {
    cause,
  });
}
