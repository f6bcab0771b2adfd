import type { FastPathUser } from './capture-sink.ts';
import type { FastPath } from './fast-path.ts';
import type { MediaSession } from './media-session.ts';
import type { SlotCount } from './slot-count.ts';

/** Two legs that are relayed to each other, while both take the fast path: their slots pass of themselves. */
export class RestingRoom implements FastPathUser {
  readonly slots: SlotCount;
  /** Among the rooms, which make their slots one after another. */
  readonly order: number;
  /** Up to how many slots that passed nothing has to be done; 0: it does not rest. */
  restsTo = 0;
  #paths: readonly FastPath[] = [];

  constructor(slots: SlotCount, order: number) {
    this.slots = slots;
    this.order = order;
  }

  /** @param sessions whose last slot was the relay's alone */
  begin(sessions: readonly MediaSession[]): void {
    this.#paths = sessions.map(({ fast }) => fast);
    if (sessions.every((session) => session.rest(this))) this.#goOn();
    else this.#end();
  }

  /** Behind `restsTo` slots. @returns whether it goes on resting */
  continues(): boolean {
    this.#goOn();
    if (this.restsTo > this.slots.passed) return true;
    this.wake();
    return false;
  }

  settle(): void {
    for (const path of this.#paths) path.tell();
  }

  wake(): void {
    if (this.restsTo === 0) return;
    this.settle();
    this.#end();
  }

  #goOn(): void {
    let restsTo = Number.MAX_SAFE_INTEGER;
    for (const { relaysTo } of this.#paths) restsTo = Math.min(restsTo, relaysTo);
    this.restsTo = restsTo;
  }

  #end(): void {
    for (const path of this.#paths) path.close();
    this.#paths = [];
    this.restsTo = 0;
  }
}
