import { newId } from '../ids.ts';
import type {
  HeardUtterance,
  ListenCommand,
  ListenEnd,
  ListenEvent,
  ListenStart,
} from '../media/listen-control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';

export type ListenOptions = Pick<ListenStart, 'endSilenceMs' | 'maxSpeechMs' | 'initialTimeoutMs'> & {
  /** The party has begun to speak. */
  began(): void;
};

export interface ListenResult {
  reason: ListenEnd;
  /** Of `speech`. */
  utterance?: HeardUtterance | undefined;
  /** Why the worker did not listen at all. */
  refusal?: unknown;
}

/** One utterance of a party that is waited for. */
export interface Listening {
  /** Never rejects. */
  readonly ended: Promise<ListenResult>;
  /** The party is waited for from here on. */
  arm(): void;
  /** Idempotent. */
  stop(): void;
}

/** What is listened for on a leg, until the worker says that it ended. */
export class LegListening {
  readonly #legId: string;
  /** Most calls have none. */
  #waiting: Map<string, { began(): void; end(result: ListenResult): void }> | undefined;

  constructor(legId: string) {
    this.#legId = legId;
  }

  start(worker: MediaWorker, { began, ...options }: ListenOptions): Listening {
    const legId = this.#legId;
    const listenId = newId();
    const { promise: ended, resolve } = Promise.withResolvers<ListenResult>();
    this.#waiting ??= new Map();
    this.#waiting.set(listenId, { began, end: resolve });
    const send = (verb: Exclude<ListenCommand['verb'], 'listen.start'>) => {
      if (this.#waiting?.has(listenId)) worker.send({ verb, legId, listenId }).catch(() => undefined);
    };
    worker
      .send({ verb: 'listen.start', legId, listenId, ...options })
      .catch((refusal: unknown) => this.#end(listenId, { reason: 'stopped', refusal }));
    return { ended, arm: () => send('listen.arm'), stop: () => send('listen.stop') };
  }

  /** The worker's word. */
  heard(event: ListenEvent): void {
    if (event.event === 'listen.speech') this.#waiting?.get(event.listenId)?.began();
    else this.#end(event.listenId, { reason: event.reason, utterance: event.utterance });
  }

  /** The leg is gone, with its worker perhaps. */
  close(): void {
    for (const listenId of [...(this.#waiting?.keys() ?? [])]) this.#end(listenId, { reason: 'leg-closed' });
  }

  #end(listenId: string, result: ListenResult): void {
    this.#waiting?.get(listenId)?.end(result);
    this.#waiting?.delete(listenId);
  }
}
