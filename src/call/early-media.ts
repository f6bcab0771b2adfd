import { newId } from '../ids.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Leg } from './leg.ts';
import { Ringback } from './ringback.ts';

/**
 * What a caller hears until the called party answers (RFC 3960): a ringing tone, and from the first packet of the
 * called side on what that side sends. Nothing of it is recorded: a call's recording begins with its answer.
 */
export class EarlyMedia {
  readonly #caller: Leg;
  readonly #worker: MediaWorker;
  #ringback: Ringback;
  readonly #roomId = newId();
  #speaker: Leg | undefined;
  #removeHandlers: (() => void) | undefined;

  constructor(caller: Leg, worker: MediaWorker) {
    this.#caller = caller;
    this.#worker = worker;
    this.#ringback = new Ringback(caller);
  }

  /** Of several phones that ring only the first that promises media is heard. */
  progress(called: Leg, status: number, hasMedia: boolean): void {
    if (this.#speaker?.ended) this.#next();
    // Many who promise media send none while they ring: the tone goes on until some comes.
    if (status === 180 && !this.#speaker?.heard) this.#ringback.start();
    if (!hasMedia || this.#speaker !== undefined || this.#caller.ended) return;
    this.#speaker = called;
    for (const leg of [this.#caller, called]) this.#join(leg);
    if (called.heard) this.#heard();
    else this.#removeHandlers = called.addHandlers({ media: () => this.#heard() });
  }

  /** The parties are out of it when it is done; whatever is asked of the worker next comes after it. */
  close(): void {
    this.#removeHandlers?.();
    this.#removeHandlers = undefined;
    this.#ringback.stop();
    if (this.#speaker === undefined) return;
    this.#speaker = undefined;
    this.#worker.send({ verb: 'room.close', roomId: this.#roomId }).catch(() => undefined);
  }

  /** Who spoke is gone, and somebody else is being called. */
  #next(): void {
    this.close();
    this.#ringback = new Ringback(this.#caller);
  }

  #heard(): void {
    this.#ringback.stop();
    this.#caller.openEarly();
  }

  #join(leg: Leg): void {
    const { connectionId, from, to, direction } = leg.connection;
    this.#worker
      .send({
        verb: 'room.join',
        legId: leg.id,
        roomId: this.#roomId,
        trackId: newId(),
        policy: 'never',
        leaveKey: undefined,
        mode: 'relay',
        party: { connectionId, from, to, direction, role: 'participant' },
      })
      .catch(() => undefined);
  }
}
