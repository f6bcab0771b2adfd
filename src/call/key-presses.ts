import { newId } from '../ids.ts';
import type { DigitsEnd } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';

/** How long a key is down, and what lies between two: what telephones do by themselves. */
export const keyTiming = { durationMs: 100, gapMs: 100 } as const;

/** The keys that are pressed towards a leg, until the worker says that they were. */
export class KeyPresses {
  readonly #legId: string;
  /** Most calls have none. */
  #pressing: Map<string, (reason: DigitsEnd) => void> | undefined;

  constructor(legId: string) {
    this.#legId = legId;
  }

  /** @throws CallreelError as the worker: NO_COMMON_CODEC, REQUEST_INVALID, WORKER_LOST */
  async press(worker: MediaWorker, digits: string): Promise<DigitsEnd> {
    const digitsId = newId();
    const { promise, resolve } = Promise.withResolvers<DigitsEnd>();
    this.#pressing ??= new Map();
    this.#pressing.set(digitsId, resolve);
    try {
      await worker.send({ verb: 'digits.send', legId: this.#legId, digitsId, digits, ...keyTiming });
      return await promise;
    } finally {
      this.#pressing?.delete(digitsId);
    }
  }

  /** The worker's word. */
  ended(digitsId: string, reason: DigitsEnd): void {
    this.#pressing?.get(digitsId)?.(reason);
  }

  /** The leg is gone, with its worker perhaps. */
  close(): void {
    for (const resolve of this.#pressing?.values() ?? []) resolve('leg-closed');
  }
}
