import type { Logger } from '../logger.ts';
import type { AudioSource } from '../playback/audio-source.ts';
import type { TextToSpeech } from '../speech/text-to-speech.ts';
import type { Prompt } from './verb.ts';

export interface PromptsOptions {
  textToSpeech: TextToSpeech;
  audioSource: AudioSource;
  log: Logger;
}

/** What telephones hear; more would only be resampled away. */
export const promptRateHz = 8000;

/** Turns what a document wants to be heard into samples. */
export class Prompts {
  readonly #options: PromptsOptions;

  constructor(options: PromptsOptions) {
    this.#options = options;
  }

  /**
   * @returns mono, 16 bit, at `promptRateHz`
   * @throws CallreelError SPEECH_*, AUDIO_*, CALLBACK_FORBIDDEN; the signal's reason
   */
  async samples(prompt: Prompt, signal: AbortSignal): Promise<Int16Array> {
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
