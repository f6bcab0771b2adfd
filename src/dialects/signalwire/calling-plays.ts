import { randomUUID } from 'node:crypto';
import type { Leg } from '../../call/leg.ts';
import { CallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import type { Play } from '../../script/verb.ts';
import type { StatusCallbacks } from './status-callbacks.ts';

export interface CallingPlaysOptions {
  log: Logger;
  performer: VerbPerformer;
  statuses: StatusCallbacks;
}

/** What `calling.play` began and is not over, by call and control id. */
export class CallingPlays {
  readonly #options: CallingPlaysOptions;
  readonly #running = new Map<string, AbortController>();

  constructor(options: CallingPlaysOptions) {
    this.#options = options;
  }

  /** Begins; how it goes on is told to the status URL. @throws CallreelError CONFLICT for a control id that plays */
  start(leg: Leg, verb: Play, controlId: string = randomUUID(), statusUrl?: string): void {
    const key = keyOf(leg, controlId);
    if (this.#running.has(key))
      throw new CallreelError('CONFLICT', 'this control id plays already', {
        where: 'body.params.control_id',
      });
    const stopped = new AbortController();
    this.#running.set(key, stopped);
    const tell = (state: 'playing' | 'finished' | 'error') => {
      if (statusUrl === undefined) return;
      const params = { control_id: controlId, state };
      this.#options.statuses.callEvent(statusUrl, leg.id, `calling:${leg.id}`, 'calling.call.play', params);
    };
    tell('playing');
    void this.#play(leg, verb, stopped.signal)
      .then(tell)
      .finally(() => this.#running.delete(key));
  }

  /** @throws CallreelError NOT_FOUND */
  stop(leg: Leg, controlId: string): void {
    const running = this.#running.get(keyOf(leg, controlId));
    if (!running)
      throw new CallreelError('NOT_FOUND', 'nothing plays by this control id', { where: controlId });
    running.abort(new CallreelError('CONFLICT', 'it was stopped'));
  }

  async #play(leg: Leg, verb: Play, signal: AbortSignal): Promise<'finished' | 'error'> {
    try {
      const { outcome } = await this.#options.performer.perform(leg, verb, signal);
      return outcome === 'failed' ? 'error' : 'finished';
    } catch (error) {
      if (signal.aborted || leg.ended) return 'finished';
      this.#options.log.warn({ error, connectionId: leg.id }, 'nothing was played');
      return 'error';
    }
  }
}

function keyOf({ id }: Leg, controlId: string): string {
  return JSON.stringify([id, controlId]);
}
