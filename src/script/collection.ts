import type { Leg } from '../call/leg.ts';
import type { Listening, ListenResult } from '../call/listening.ts';
import type { Clock } from '../clock.ts';
import { asCallreelError, CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import {
  maxEndSilenceMs,
  maxInitialTimeoutMs,
  maxUtteranceMs,
  minEndSilenceMs,
} from '../media/listen-control.ts';
import type { UtteranceRecognizer } from '../transcription/utterance-recognizer.ts';
import { DigitCollector } from './digit-collector.ts';
import type { Collect, CollectResult, SpeechWish } from './verb.ts';

/** Turns what was said into words. */
export type Recognizer = Pick<UtteranceRecognizer, 'recognize' | 'prepare'>;

export interface CollectionOptions {
  leg: Pick<Leg, 'id' | 'addHandlers' | 'listen'>;
  verb: Collect;
  clock: Clock;
  log: Logger;
  /** Undefined: nobody understands speech. */
  recognizer: Recognizer | undefined;
  /** Plays the prompts until they end, or `over` gives them up. */
  play(over: AbortSignal): Promise<unknown>;
}

/**
 * What a party presses or says, whichever comes first: a key ends what was said before it was understood, and what is
 * said ends the wait for keys.
 */
export class Collection {
  readonly #options: CollectionOptions;
  readonly #keys: DigitCollector;
  readonly #spoken = Promise.withResolvers<CollectResult>();
  readonly #promptOver = new AbortController();
  /** Ended by a key, or with the collection. */
  readonly #speechOver = new AbortController();
  #listening: Listening | undefined;
  #prompted = false;

  constructor(options: CollectionOptions) {
    this.#options = options;
    this.#keys = new DigitCollector({
      ...options.verb,
      clock: options.clock,
      firstDigit: () => {
        this.#promptOver.abort();
        this.#stopListening();
      },
    });
  }

  /** @param over gives it up: there was no input then */
  async run(over: AbortSignal): Promise<CollectResult> {
    const { leg, verb, play } = this.#options;
    const removeHandlers = leg.addHandlers({
      digit: (digit) => {
        if (verb.maxDigits > 0) this.#keys.digit(digit);
      },
    });
    const cancel = () => {
      this.#keys.cancel();
      this.#promptOver.abort(over.reason);
    };
    over.addEventListener('abort', cancel, { once: true });
    if (over.aborted) cancel();
    else if (verb.speech) this.#listen(verb.speech);
    const prompted = play(this.#promptOver.signal);
    void prompted.then(() => this.#promptEnded());
    const result = await Promise.race([this.#keys.result, this.#spoken.promise]);
    this.#promptOver.abort();
    this.#stopListening();
    // Its timers.
    this.#keys.cancel();
    removeHandlers();
    over.removeEventListener('abort', cancel);
    await prompted;
    return result;
  }

  #promptEnded(): void {
    this.#prompted = true;
    if (this.#listening) this.#listening.arm();
    else this.#keys.promptEnded();
  }

  #listen({ locale, endSilenceMs, maxSpeechMs }: SpeechWish): void {
    const { leg, verb, recognizer } = this.#options;
    if (!recognizer) {
      this.#deaf(new CallreelError('TRANSCRIPTION_UNAVAILABLE', 'speech is not understood here'));
      return;
    }
    recognizer.prepare(locale);
    const listening = leg.listen({
      endSilenceMs: Math.min(Math.max(Math.round(endSilenceMs), minEndSilenceMs), maxEndSilenceMs),
      maxSpeechMs: Math.min(Math.max(Math.round(maxSpeechMs), 1), maxUtteranceMs),
      initialTimeoutMs: Math.min(Math.round(verb.initialTimeoutMs), maxInitialTimeoutMs),
      began: () => this.#promptOver.abort(),
    });
    this.#listening = listening;
    void listening.ended.then((result) => this.#heard(result, recognizer, locale));
  }

  async #heard(
    { reason, utterance, refusal }: ListenResult,
    recognizer: Recognizer,
    locale: string,
  ): Promise<void> {
    const { signal } = this.#speechOver;
    if (signal.aborted) return;
    if (reason === 'no-input') this.#keys.cancel();
    else if (refusal !== undefined) this.#deaf(asCallreelError(refusal));
    else if (utterance)
      try {
        const { text, confidence } = await recognizer.recognize(utterance, locale, signal);
        const said = { digits: '', speech: { text, confidence } };
        this.#spoken.resolve(text === '' ? { digits: '', ended: 'no-match' } : { ...said, ended: 'speech' });
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(error);
        this.#spoken.resolve({ digits: '', ended: 'no-match', error: asCallreelError(error) });
      }
  }

  /** Nobody listens: keys still count, where they did. */
  #deaf(error: CallreelError): void {
    this.#tell(error);
    this.#listening = undefined;
    if (this.#options.verb.maxDigits === 0) this.#spoken.resolve({ digits: '', ended: 'no-match', error });
    else if (this.#prompted) this.#keys.promptEnded();
  }

  #stopListening(): void {
    this.#speechOver.abort();
    this.#listening?.stop();
  }

  #tell(error: unknown): void {
    const { log, leg } = this.#options;
    log.warn({ connectionId: leg.id, error }, 'what was said could not be recognised; the call goes on');
  }
}
