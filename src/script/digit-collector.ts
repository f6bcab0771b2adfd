import type { Clock, Timer } from '../clock.ts';
import type { Collect, CollectResult } from './verb.ts';

/** What a collection of digits needs to know of its leg; in events, so that it can be tested without one. */
export interface DigitCollectorOptions
  extends Pick<Collect, 'maxDigits' | 'terminators' | 'initialTimeoutMs' | 'digitTimeoutMs'> {
  clock: Clock;
  /** The party began to press: the prompts have done their work. */
  firstDigit(): void;
}

/** Collects digits until there are enough, a terminator comes, or the party takes too long. */
export class DigitCollector {
  readonly #options: DigitCollectorOptions;
  readonly #result = Promise.withResolvers<CollectResult>();
  #digits = '';
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: DigitCollectorOptions) {
    this.#options = options;
  }

  get result(): Promise<CollectResult> {
    return this.#result.promise;
  }

  /** The prompts have ended, or there were none: from now on the party is waited for. */
  promptEnded(): void {
    if (!this.#ended && this.#timer === undefined && this.#digits === '')
      this.#arm(this.#options.initialTimeoutMs);
  }

  digit(digit: string): void {
    if (this.#ended) return;
    const { terminators, maxDigits, digitTimeoutMs, firstDigit } = this.#options;
    if (this.#digits === '') firstDigit();
    if (terminators.includes(digit)) {
      this.#end('terminator', digit);
      return;
    }
    this.#digits += digit;
    if (this.#digits.length >= maxDigits) this.#end('complete');
    else this.#arm(digitTimeoutMs);
  }

  /** Nobody waits any more: the call ended. */
  cancel(): void {
    this.#timeout();
  }

  #arm(timeoutMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(timeoutMs, () => this.#timeout());
  }

  #timeout(): void {
    this.#end(this.#digits === '' ? 'no-input' : 'timeout');
  }

  #end(ended: CollectResult['ended'], terminator?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const result = { digits: this.#digits, ended };
    this.#result.resolve(terminator === undefined ? result : { ...result, terminator });
  }
}
