import type { Clock, Timer } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { hangUpReasons } from './end-reason.ts';
import type { Leg } from './leg.ts';

export interface SilenceWatchOptions {
  clock: Clock;
  log: Logger;
  /** So long a call that should send media may send none. */
  timeoutMs: number;
}

/**
 * Ends calls whose BYE was lost. Silence alone proves nothing: phones suppress it, some never send before they are
 * spoken to. So the peer is asked inside the dialog; a call goes on for as long as its peer answers for it, and ends
 * when it knows nothing of the call any more (481, 408) or does not answer at all. Whatever was recorded stays.
 */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  /** By leg: a silence is told once, the questions go on. */
  readonly #watched = new Map<string, Timer>();

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** A leg that never sends a packet is noticed too. */
  answered(leg: Leg): void {
    leg.addHandlers({ ended: () => this.#forget(leg) });
    this.#later(leg, () => !leg.heard);
  }

  /** The media worker's word: media is due from the leg and none came. */
  silent(leg: Leg, silentMs: number): void {
    this.#options.log.info({ connectionId: leg.id, silentMs }, 'no media comes from this call');
    if (leg.answered) void this.#ask(leg);
  }

  #later(leg: Leg, isSilent: () => boolean): void {
    const { clock, timeoutMs } = this.#options;
    this.#watched.get(leg.id)?.cancel();
    const timer = clock.after(timeoutMs, () => {
      this.#watched.delete(leg.id);
      if (isSilent()) void this.#ask(leg);
    });
    this.#watched.set(leg.id, timer);
  }

  async #ask(leg: Leg): Promise<void> {
    if (leg.ended) return;
    // A second report of the same leg while a question is open or due changes nothing.
    this.#forget(leg);
    const alive = (await leg.session.probe?.()) ?? true;
    if (leg.ended) return;
    if (!alive) {
      this.#options.log.warn({ connectionId: leg.id }, 'a call ends: no media, and nobody answers for it');
      leg.hangUp(hangUpReasons.mediaLost);
      return;
    }
    this.#later(leg, () => true);
  }

  #forget(leg: Leg): void {
    this.#watched.get(leg.id)?.cancel();
    this.#watched.delete(leg.id);
  }
}
