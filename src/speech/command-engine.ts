import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { AudioDecoder } from '../playback/audio-decoder.ts';
import { Slots } from './slots.ts';
import {
  type EngineRequest,
  type EngineSpeech,
  maxSpeechSeconds,
  type SpeechEngine,
  type VoiceChoice,
} from './speech-engine.ts';
import { runSpeechProgram } from './speech-program.ts';
import { chooseForeignVoice, knownLocale } from './voice-name.ts';

export interface CommandEngineOptions {
  /** The program and its arguments; `{voice}`, `{locale}` and `{rate}` in them are filled in. */
  command: readonly [string, ...string[]];
  /** Fills `{voice}` when a document names none. */
  voice: string;
  /** Fills `{locale}` when a document names none. */
  locale?: string;
  timeoutMs: number;
  clock: Clock;
  decoder: AudioDecoder;
}

const maxOutputBytes = 60_000_000;
const programsAtOnce = 2;
const maxWaiting = 100;
const defaultLocale = 'en-US';

/** A separate program (espeak-ng, piper ...): the text on its standard input, a WAV file on its standard output. */
export class CommandEngine implements SpeechEngine {
  readonly name = 'command';
  readonly #options: CommandEngineOptions;
  readonly #slots = new Slots(programsAtOnce, maxWaiting);
  readonly #closed = new AbortController();

  constructor(options: CommandEngineOptions) {
    this.#options = options;
  }

  chooseVoice(voice: string | undefined, locale: string | undefined): VoiceChoice {
    return chooseForeignVoice(this.#options.voice, voice, locale);
  }

  cacheKey({ text, voice, locale, rateHz }: EngineRequest): string {
    return `${voice} ${knownLocale(locale) ?? ''} ${rateHz} ${text}`;
  }

  async synthesize(request: EngineRequest, signal: AbortSignal): Promise<EngineSpeech> {
    const { decoder, timeoutMs, clock } = this.#options;
    const [command, ...args] = this.#commandFor(request);
    const either = AbortSignal.any([signal, this.#closed.signal]);
    const release = await this.#slots.take(either);
    try {
      const bytes = await runSpeechProgram({
        command,
        args,
        input: request.text,
        maxOutputBytes,
        timeoutMs,
        clock,
        signal: either,
      });
      const job = { bytes, rateHz: request.rateHz, maxSeconds: maxSpeechSeconds };
      return { samples: await decoder.decode(job, either), warnings: [] };
    } catch (cause) {
      if (!(cause instanceof CallreelError) || ['SPEECH_FAILED', 'DRAINING'].includes(cause.code))
        throw cause;
      throw new CallreelError('SPEECH_FAILED', `speech.command: ${command}: ${cause.message}`, { cause });
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new CallreelError('DRAINING', 'text-to-speech is stopped'));
  }

  #commandFor({ voice, locale, rateHz }: EngineRequest): [string, ...string[]] {
    const values = {
      voice,
      locale: knownLocale(locale) ?? this.#options.locale ?? defaultLocale,
      rate: String(rateHz),
    };
    const [command, ...args] = this.#options.command;
    const filled = args.map((arg) =>
      arg.replace(/\{(voice|locale|rate)\}/g, (_, name: keyof typeof values) => values[name]),
    );
    return [command, ...filled];
  }
}
