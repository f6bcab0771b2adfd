import type { Leg } from './leg.ts';

/** What a party says of the conference's beginning. */
export interface WaitingOptions {
  /** False: the party only waits, and hears nobody, until somebody comes who does not. */
  startOnEnter?: boolean | undefined;
  /** What the party hears until the conference begins: it needs two, and one who does not only wait. */
  whileWaiting?(leg: Leg): { stop(): void };
}

/**
 * When a conference begins: nobody is let in before somebody came who does not only wait, and what they hear meanwhile
 * ends with the second party. What began once never waits again.
 */
export class ConferenceStart {
  #open = false;
  #begun = false;
  #heard: Map<string, { stop(): void }> | undefined;

  /** Somebody comes. @returns whether the doors are open, with this party at the latest */
  opens({ startOnEnter = true }: WaitingOptions): boolean {
    this.#open ||= startOnEnter;
    return this.#open;
  }

  /** The party can hear something. */
  hears(leg: Leg, { whileWaiting }: WaitingOptions): void {
    if (!this.#begun && !leg.ended && !this.#heard?.has(leg.id) && whileWaiting)
      (this.#heard ??= new Map()).set(leg.id, whileWaiting(leg));
  }

  /** So many are there. @returns whether it begins with that */
  counts(parties: number): boolean {
    if (this.#begun || !this.#open || parties < 2) return false;
    this.#begun = true;
    for (const heard of this.#heard?.values() ?? []) heard.stop();
    this.#heard?.clear();
    return true;
  }

  left(legId: string): void {
    this.#heard?.get(legId)?.stop();
    this.#heard?.delete(legId);
  }
}
