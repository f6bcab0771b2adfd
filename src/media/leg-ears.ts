import { CallreelError } from '../errors.ts';
import type { WorkerEvent } from './control.ts';
import type { KeyPresses } from './key-presses.ts';
import type { ListenEnd, ListenStart } from './listen-control.ts';
import type { Playout } from './playout.ts';
import { UtteranceListener, type UtteranceOutcome } from './utterance-listener.ts';

export interface LegEarsOptions {
  legId: string;
  /** May listen for keys in the audio. */
  keys: KeyPresses;
  post(event: WorkerEvent): void;
}

/** Who listens to a leg's audio besides its room. */
export class LegEars {
  readonly #options: LegEarsOptions;
  #listening: { listenId: string; listener: UtteranceListener; isTold: boolean } | undefined;

  constructor(options: LegEarsOptions) {
    this.#options = options;
  }

  /** Somebody does: its slots are wanted, in a room or not. */
  get active(): boolean {
    return this.#listening !== undefined || this.#options.keys.hearsAudio;
  }

  /** An utterance is waited for. */
  get listens(): boolean {
    return this.#listening !== undefined;
  }

  /** @throws CallreelError CONFLICT */
  listen({ listenId, legId, ...options }: ListenStart): void {
    if (this.#listening) throw new CallreelError('CONFLICT', 'the leg is listened to', { where: legId });
    this.#listening = { listenId, listener: new UtteranceListener(options), isTold: false };
  }

  arm(listenId: string): void {
    if (this.#listening?.listenId === listenId) this.#listening.listener.arm();
  }

  stop(listenId: string): void {
    if (this.#listening?.listenId === listenId) this.#end({ reason: 'stopped' });
  }

  close(): void {
    this.#end({ reason: 'leg-closed' });
  }

  /** Once a slot, with what it brought. */
  hear(playout: Playout): void {
    this.#options.keys.hear(playout);
    const listening = this.#listening;
    if (!listening) return;
    const outcome = listening.listener.hear(playout);
    const { legId, post } = this.#options;
    if (listening.listener.hasBegun && !listening.isTold) {
      listening.isTold = true;
      post({ event: 'listen.speech', legId, listenId: listening.listenId });
    }
    if (outcome) this.#end(outcome);
  }

  #end(outcome: UtteranceOutcome | { reason: Exclude<ListenEnd, 'speech'> }): void {
    if (!this.#listening) return;
    const { listenId } = this.#listening;
    this.#listening = undefined;
    this.#options.post({ event: 'listen.ended', legId: this.#options.legId, listenId, ...outcome });
  }
}
