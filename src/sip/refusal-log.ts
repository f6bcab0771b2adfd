import type { Clock, Timer } from '../clock.ts';
import type { Log } from './session-context.ts';

interface Refusals {
  count: number;
  readonly reasons: Map<string, number>;
  timer: Timer;
}

const periodMs = 60_000;
const maxSources = 1_000;
const maxReasons = 10;
const others = 'others';

/**
 * What is refused is logged once a source and minute: the first time in full, then as one line with the count. A flood
 * fills no disk.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #sources = new Map<string, Refusals>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param reason one of few: what differs from message to message belongs into `fields` */
  note(address: string, reason: string, fields: Record<string, unknown> = {}): void {
    const source = this.#sources.has(address) || this.#sources.size < maxSources ? address : others;
    const known = this.#sources.get(source);
    if (known === undefined) {
      this.#log('warn', 'SIP refused', { source, reason, ...fields });
      this.#sources.set(source, { count: 0, reasons: new Map(), timer: this.#summarizeLater(source) });
      return;
    }
    known.count++;
    const counted = known.reasons.has(reason) || known.reasons.size < maxReasons ? reason : others;
    known.reasons.set(counted, (known.reasons.get(counted) ?? 0) + 1);
  }

  /** Tells what was counted and forgets everything. */
  close(): void {
    for (const [source, refusals] of this.#sources) {
      refusals.timer.cancel();
      this.#summarize(source, refusals);
    }
    this.#sources.clear();
  }

  #summarizeLater(source: string): Timer {
    return this.#clock.after(periodMs, () => {
      const refusals = this.#sources.get(source);
      this.#sources.delete(source);
      if (refusals === undefined) return;
      this.#summarize(source, refusals);
      // A source that goes on is not announced anew.
      if (refusals.count > 0)
        this.#sources.set(source, { count: 0, reasons: new Map(), timer: this.#summarizeLater(source) });
    });
  }

  #summarize(source: string, { count, reasons }: Refusals): void {
    if (count === 0) return;
    this.#log('warn', 'SIP refused, more of the same source', {
      source,
      count,
      seconds: periodMs / 1000,
      reasons: Object.fromEntries(reasons),
    });
  }
}
