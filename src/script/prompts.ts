import { ringingCadence } from '../audio/ringing-tone.ts';
import { tuneRound } from '../audio/tune.ts';
import type { Logger } from '../logger.ts';
import type { AudioSource } from '../playback/audio-source.ts';
import type { TextToSpeech } from '../speech/text-to-speech.ts';
import type { Prompt } from './verb.ts';

export interface PromptsOptions {
  textToSpeech: Pick<TextToSpeech, 'speak'> & Partial<Pick<TextToSpeech, 'hasVoice'>>;
  audioSource: Pick<AudioSource, 'load'>;
  log: Logger;
}

/** What telephones hear; more would only be resampled away. */
export const promptRateHz = 8000;

/** Of what is made here, and may last for ever. */
const partSamples = 20 * promptRateHz;
const stillness = new Int16Array(partSamples);

/** Turns what a document wants to be heard into samples. */
export class Prompts {
  readonly #options: PromptsOptions;

  constructor(options: PromptsOptions) {
    this.#options = options;
  }

  /**
   * The prompt, in parts that are to be heard one behind the other without a gap.
   * @returns each mono, 16 bit, at `promptRateHz`, and shared: never write to them
   * @throws CallreelError SPEECH_*, AUDIO_*, CALLBACK_FORBIDDEN; the signal's reason
   */
  async *parts(prompt: Prompt, signal: AbortSignal): AsyncGenerator<Int16Array, void, void> {
    if (prompt.kind === 'text' || prompt.kind === 'url') yield await this.load(prompt, signal);
    else if (prompt.kind === 'silence') yield* repeated(stillness, prompt.durationMs);
    else if (prompt.kind === 'tune') yield* repeated(tuneRound(prompt.tune, promptRateHz), prompt.durationMs);
    else yield* repeated(ringingCadence(prompt.country, promptRateHz), prompt.durationMs);
  }

  /** Whether a text can be spoken with it, and not by another one in its place. */
  hasVoice(voice: string): boolean {
    return this.#options.textToSpeech.hasVoice?.(voice) ?? true;
  }

  /** What takes time to get. @returns, @throws as `parts` */
  async load(prompt: Prompt & { kind: 'text' | 'url' }, signal: AbortSignal): Promise<Int16Array> {
    const { textToSpeech, audioSource, log } = this.#options;
    if (prompt.kind === 'url') {
      const audio = await audioSource.load({ url: prompt.url, rateHz: promptRateHz, signal });
      return audio.samples;
    }
    const { text, voice, locale } = prompt;
    const speech = await textToSpeech.speak({ text, voice, locale, rateHz: promptRateHz, signal });
    for (const warning of speech.warnings) log.warn({ warning }, 'spoken with another voice than asked for');
    return speech.samples;
  }
}

/** Whole periods, and at last a part of one. */
function* repeated(period: Int16Array, durationMs: number): Generator<Int16Array, void, void> {
  let leftSamples = Math.round((durationMs * promptRateHz) / 1000);
  for (; leftSamples > 0; leftSamples -= period.length)
    yield leftSamples < period.length ? period.subarray(0, leftSamples) : period;
}
