import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { JobThreads } from '../worker/job-threads.ts';
import { type FliteJob, type FliteVoice, fliteVoices } from './flite.ts';
import { speakableText } from './speakable-text.ts';
import {
  type EngineRequest,
  type EngineSpeech,
  maxSpeechSeconds,
  type SpeechEngine,
  type VoiceChoice,
} from './speech-engine.ts';
import { shown } from './voice-name.ts';

export const defaultFliteVoice: FliteVoice = 'slt';

const speakingMs = 30_000;
const maxWaiting = 200;
const threads = 2;

/** The embedded engine: English, five voices, nothing to download or to configure. */
export class FliteEngine implements SpeechEngine {
  readonly name = 'flite';
  readonly #ownVoice: FliteVoice;
  readonly #threads: JobThreads<FliteJob, Int16Array>;

  /** @param ownVoice speaks when a document names none that is here */
  constructor(clock: Clock, ownVoice: FliteVoice = defaultFliteVoice) {
    this.#ownVoice = ownVoice;
    this.#threads = new JobThreads({
      script: new URL('./flite-thread.ts', import.meta.url),
      threads,
      maxWaiting,
      timeoutMs: speakingMs,
      clock,
      failure: (what) => new CallreelError('SPEECH_FAILED', `flite: ${what}`),
    });
  }

  chooseVoice(voice: string | undefined, locale: string | undefined): VoiceChoice {
    const known = voice === undefined ? this.#ownVoice : asFliteVoice(voice);
    const speaking = known ?? this.#ownVoice;
    const warnings: VoiceChoice['warnings'] = [];
    if (!known)
      warnings.push({
        code: 'voice-unknown',
        message: `there is no voice ${shown(voice ?? '')}; ${speaking} speaks`,
      });
    if (locale !== undefined && !/^en(?:[-_]|$)/i.test(locale))
      warnings.push({
        code: 'locale-unsupported',
        message: `no voice speaks ${shown(locale)}; ${speaking} speaks as if it were English`,
      });
    return { voice: speaking, warnings };
  }

  cacheKey({ text, voice, rateHz }: EngineRequest): string {
    return `${voice} ${rateHz} ${text}`;
  }

  async synthesize({ text, voice, rateHz }: EngineRequest, signal: AbortSignal): Promise<EngineSpeech> {
    const speakable = speakableText(text);
    const job = {
      text: speakable.text,
      voice: asFliteVoice(voice) ?? this.#ownVoice,
      rateHz,
      maxSeconds: maxSpeechSeconds,
    };
    const samples = await this.#threads.run(job, { signal });
    if (!speakable.isIncomplete) return { samples, warnings: [] };
    const message = 'the text has characters that the English voices cannot speak';
    return { samples, warnings: [{ code: 'text-incomplete', message }] };
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

export function asFliteVoice(name: string): FliteVoice | undefined {
  return fliteVoices.find((voice) => voice === name.toLowerCase());
}
