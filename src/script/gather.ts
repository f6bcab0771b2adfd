import type { Clock, Timer } from '../clock.ts';
import type { Gather, GatherResult } from './verb.ts';

/** What a collection of digits needs to know of its leg; in events, so that it can be tested without one. */
export interface DigitCollectorOptions extends Pick<Gather, 'maxDigits' | 'terminators' | 'timeoutMs'> {
  clock: Clock;
  /** The party began to press: the prompt has done its work. */
  firstDigit(): void;
}

/** Collects digits until there are enough, a terminator comes, or the party takes too long. */
export class DigitCollector {
  readonly #options: DigitCollectorOptions;
  readonly #result = Promise.withResolvers<GatherResult>();
  #digits = '';
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: DigitCollectorOptions) {
    this.#options = options;
  }

  get result(): Promise<GatherResult> {
    return this.#result.promise;
  }

  /** The prompt has ended, or there was none: from now on the party is waited for. */
  promptEnded(): void {
    if (!this.#ended && this.#timer === undefined) this.#arm();
  }

  digit(digit: string): void {
    if (this.#ended) return;
    const { terminators, maxDigits, firstDigit } = this.#options;
    if (this.#digits === '') firstDigit();
    if (terminators.includes(digit)) {
      this.#end('terminator');
      return;
    }
    this.#digits += digit;
    if (this.#digits.length >= maxDigits) this.#end('complete');
    else this.#arm();
  }

  /** Nobody waits any more: the call ended. */
  cancel(): void {
    this.#end('timeout');
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#options.timeoutMs, () => this.#end('timeout'));
  }

  #end(ended: GatherResult['ended']): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#result.resolve({ digits: this.#digits, ended });
  }
}
