import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { SpeechToText } from './speech-to-text.ts';

export interface UtteranceRecognizerOptions {
  /** The engine, once it is wanted. @throws CallreelError CONFIG_INVALID, TRANSCRIPTION_MODEL_BROKEN */
  engine(): Promise<SpeechToText>;
  clock: Clock;
  /** Nobody on the line waits longer for the text. */
  timeoutMs?: number;
  /** That are recognised, or wait for it, at once. */
  most?: number;
}

export interface RecognizedUtterance {
  /** Empty where nothing was understood. */
  text: string;
  /** 0 to 1, of engines that tell it. */
  confidence: number | undefined;
}

const defaultTimeoutMs = 15_000;
const defaultMost = 32;

/** The words of one utterance that somebody waits for on the line. In memory alone. */
export class UtteranceRecognizer {
  readonly #options: UtteranceRecognizerOptions & { timeoutMs: number; most: number };
  #running = 0;
  #isPreparing = false;

  constructor(options: UtteranceRecognizerOptions) {
    this.#options = { timeoutMs: defaultTimeoutMs, most: defaultMost, ...options };
  }

  /**
   * @throws CallreelError TRANSCRIPTION_*, DRAINING; TRANSCRIPTION_UNAVAILABLE also where too many wait, or it takes too
   *   long
   * @throws the signal's reason
   */
  async recognize(
    { samples, rateHz }: { samples: Int16Array; rateHz: number },
    locale: string,
    signal: AbortSignal,
  ): Promise<RecognizedUtterance> {
    const { clock, timeoutMs, most } = this.#options;
    if (this.#running >= most)
      throw new CallreelError('TRANSCRIPTION_UNAVAILABLE', `${most} utterances wait to be recognised`);
    const late = new AbortController();
    const timer = clock.after(timeoutMs, () =>
      late.abort(new CallreelError('TRANSCRIPTION_UNAVAILABLE', `there was no text within ${timeoutMs} ms`)),
    );
    this.#running++;
    try {
      const either = AbortSignal.any([signal, late.signal]);
      return await abortable(this.#transcribe({ rateHz, chunks: [samples] }, locale, either), either);
    } finally {
      timer.cancel();
      this.#running--;
    }
  }

  /** Somebody is about to speak: the engine is there by then. What fails is told by `recognize`. */
  prepare(locale: string): void {
    if (this.#isPreparing) return;
    this.#isPreparing = true;
    // Whoever asked for it may be gone before it is there: then the next one has it.
    const { signal } = new AbortController();
    this.#transcribe({ rateHz: 16_000, chunks: [] }, locale, signal)
      .catch(() => undefined)
      .finally(() => {
        this.#isPreparing = false;
      });
  }

  async #transcribe(
    audio: Parameters<SpeechToText['transcribe']>[0],
    locale: string,
    signal: AbortSignal,
  ): Promise<RecognizedUtterance> {
    const engine = await this.#options.engine();
    const { utterances } = await engine.transcribe(audio, { locale, signal, isUrgent: true });
    const known = utterances.flatMap(({ confidence }) => confidence ?? []);
    return {
      text: utterances
        .map(({ text }) => text.trim())
        .filter((text) => text !== '')
        .join(' '),
      confidence: known.length === 0 ? undefined : known.reduce((sum, each) => sum + each, 0) / known.length,
    };
  }
}

/** An engine may not heed the signal at once. */
async function abortable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
    work.catch(() => undefined);
  }
}
