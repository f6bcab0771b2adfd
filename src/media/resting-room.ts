import type { FastPathUser } from './capture-sink.ts';
import type { Due } from './due-list.ts';
import type { SlotCount } from './slot-count.ts';

/** What a room has of a leg's fast path. */
export interface RestingPath {
  /** Up to how many slots that passed it has nothing else to send than packets. */
  readonly relaysTo: number;
  /** Tells whoever is to know what came, and how many slots passed. */
  tell(): void;
  close(): void;
}

export interface RestingLeg {
  readonly fast: RestingPath;
  /** Its packets take the fast path from here on. @returns false where they may not */
  rest(room: RestingRoom): boolean;
}

/** Two legs that are relayed to each other, while both take the fast path: their slots pass of themselves. */
export class RestingRoom implements FastPathUser {
  readonly slots: SlotCount;
  /** Among the rooms, which make their slots one after another. */
  readonly order: number;
  /** Up to how many slots that passed nothing has to be done; 0: it does not rest. */
  restsTo = 0;
  /** When it is to be looked at, in slots that passed: at once but while it rests. */
  due: Due | undefined;
  #paths: readonly RestingPath[] = [];

  constructor(slots: SlotCount, order: number) {
    this.slots = slots;
    this.order = order;
  }

  /** @param legs whose last slot was the relay's alone */
  begin(legs: readonly RestingLeg[]): void {
    this.#paths = legs.map(({ fast }) => fast);
    if (legs.every((leg) => leg.rest(this))) this.#goOn();
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
    this.due?.set(restsTo);
  }

  #end(): void {
    for (const path of this.#paths) path.close();
    this.#paths = [];
    this.restsTo = 0;
    this.due?.set(0);
  }
}
