import { CallreelError } from '../errors.ts';
import type { PlaybackRateHz } from '../playback/audio-source.ts';
import { ByteCache } from '../playback/byte-cache.ts';
import { SharedWork } from '../playback/shared-work.ts';
import type { EngineRequest, EngineSpeech, SpeechEngine, SpeechWarning } from './speech-engine.ts';

export interface SpeakRequest {
  /** Plain text: markup in it is spoken, not obeyed. */
  text: string;
  voice?: string | undefined;
  /** A language tag (BCP 47). */
  locale?: string | undefined;
  rateHz: PlaybackRateHz;
  signal?: AbortSignal | undefined;
}

export interface Speech {
  /** Mono, 16 bit, shared with everyone who says the same: never write to them. Empty for a text without content. */
  samples: Int16Array;
  rateHz: PlaybackRateHz;
  warnings: SpeechWarning[];
}

/** Text to samples, whatever engine does it. */
export interface TextToSpeech {
  /**
   * @throws CallreelError SPEECH_TEXT_TOO_LONG, AUDIO_TOO_LONG, SPEECH_FAILED, DRAINING
   * @throws the signal's reason
   */
  speak(request: SpeakRequest): Promise<Speech>;
  /** Whether the first engine knows it; another one speaks in its place where not. */
  hasVoice(voice: string): boolean;
  close(): Promise<void>;
}

export const maxTextCharacters = 5000;

export interface EnginesOptions {
  /** The first one speaks; each further one stands in for one that failed. */
  engines: readonly [SpeechEngine, ...SpeechEngine[]];
  cacheBytes: number;
}

/** Speaks by the configured engine, and remembers in memory what was said: a greeting is synthesized once. */
export class CachedTextToSpeech implements TextToSpeech {
  readonly #engines: readonly SpeechEngine[];
  readonly #cache: ByteCache<EngineSpeech>;
  readonly #speaking = new SharedWork<EngineSpeech>();

  constructor({ engines, cacheBytes }: EnginesOptions) {
    this.#engines = engines;
    this.#cache = new ByteCache(cacheBytes, ({ samples }) => samples.byteLength);
  }

  async speak({ text: given, voice, locale, rateHz, signal }: SpeakRequest): Promise<Speech> {
    signal?.throwIfAborted();
    const text = plainText(given);
    if (text === '') return { samples: new Int16Array(0), rateHz, warnings: [] };
    const failures: CallreelError[] = [];
    for (const engine of this.#engines) {
      const choice = engine.chooseVoice(voice, locale);
      try {
        const speech = await this.#speak(engine, { text, voice: choice.voice, locale, rateHz }, signal);
        const warnings = [...failures.map(engineFailed), ...choice.warnings, ...speech.warnings];
        return { samples: speech.samples, rateHz, warnings };
      } catch (error) {
        if (!(error instanceof CallreelError) || error.code !== 'SPEECH_FAILED') throw error;
        failures.push(error);
      }
    }
    throw failures[0];
  }

  hasVoice(voice: string): boolean {
    const choice = this.#engines[0]?.chooseVoice(voice, undefined);
    return !choice?.warnings.some(({ code }) => code === 'voice-unknown');
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
  }

  async #speak(
    engine: SpeechEngine,
    request: EngineRequest,
    signal: AbortSignal | undefined,
  ): Promise<EngineSpeech> {
    const key = `${engine.name} ${engine.cacheKey(request)}`;
    const kept = this.#cache.get(key);
    if (kept) return kept;
    return this.#speaking.do(
      key,
      async (abandoned) => {
        const speech = await engine.synthesize(request, abandoned);
        this.#cache.put(key, speech);
        return speech;
      },
      signal,
    );
  }
}

/** @throws CallreelError SPEECH_TEXT_TOO_LONG */
function plainText(text: string): string {
  if (text.length > maxTextCharacters)
    throw new CallreelError(
      'SPEECH_TEXT_TOO_LONG',
      `the text has ${text.length} characters; at most ${maxTextCharacters} are spoken`,
    );
  const printable = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\ufffd]+/gu, ' ')
    .trim();
  // Only invisible characters: nothing anyone meant to be heard.
  return /[^\p{C}\p{Z}]/u.test(printable) ? printable : '';
}

function engineFailed({ message }: CallreelError): SpeechWarning {
  return { code: 'engine-failed', message };
}
