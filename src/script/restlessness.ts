import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';

const maxReplacements = 100;
const windowUs = 10_000_000;

/**
 * Ends a run whose application answers every question with another document, each over at once: it would go round as
 * fast as the network lets it.
 */
export class Restlessness {
  readonly #clock: Clock;
  #windowEndsUs = 0;
  #replacements = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The document was replaced.
   * @throws CallreelError DOCUMENT_INVALID
   */
  replaced(): void {
    const nowUs = this.#clock.monotonicUs();
    if (nowUs >= this.#windowEndsUs) {
      this.#windowEndsUs = nowUs + windowUs;
      this.#replacements = 0;
    }
    if (++this.#replacements > maxReplacements)
      throw new CallreelError(
        'DOCUMENT_INVALID',
        `the routine was replaced more than ${maxReplacements} times within ${windowUs / 1e6} s`,
        { where: 'routine' },
      );
  }
}
