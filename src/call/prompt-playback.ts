import { newId } from '../ids.ts';
import type { PlayEnd } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';

/** One prompt on its way to a party. */
export interface Playback {
  /** Settles when nothing of it is sent any more; never rejects. */
  readonly ended: Promise<PlayEnd>;
  /** Why the worker did not take it; known once it has ended. */
  readonly refusal: unknown;
  /** Idempotent. */
  stop(): void;
}

/** The prompts a leg was given, until the worker says that they ended. */
export class PromptPlayback {
  readonly #legId: string;
  /** Most calls have none. */
  #playing: Map<string, (reason: PlayEnd) => void> | undefined;

  constructor(legId: string) {
    this.#legId = legId;
  }

  start(worker: MediaWorker, samples: Int16Array, rateHz: 8000 | 16_000 | 48_000, loop = false): Playback {
    const legId = this.#legId;
    const playId = newId();
    const { promise, resolve } = Promise.withResolvers<PlayEnd>();
    this.#playing ??= new Map();
    this.#playing.set(playId, resolve);
    // A refusal means that the leg is closed, or that more is waiting than there is room for.
    worker.send({ verb: 'play.start', legId, playId, samples, rateHz, loop }).catch((error: unknown) => {
      playback.refusal = error;
      this.ended(playId, 'stopped');
    });
    const playback = {
      ended: promise,
      refusal: undefined as unknown,
      stop: () => {
        if (this.#playing?.has(playId))
          worker.send({ verb: 'play.stop', legId, playId }).catch(() => undefined);
      },
    };
    return playback;
  }

  /** The worker's word. */
  ended(playId: string, reason: PlayEnd): void {
    this.#playing?.get(playId)?.(reason);
    this.#playing?.delete(playId);
  }

  /** The leg is gone, with its worker perhaps. */
  close(): void {
    for (const playId of [...(this.#playing?.keys() ?? [])]) this.ended(playId, 'leg-closed');
  }
}
