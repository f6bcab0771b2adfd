import type { RoomMute } from '../media/control.ts';
import type { Leg } from './leg.ts';

/** What is played to a party on hold, until it is stopped. */
export type HoldMusic = (leg: Leg) => { stop(): void };

/** What a party of a conference is cut off from. Each of the two is kept while the other one changes. */
export class ConferenceMute {
  readonly #leg: Leg;
  #muted: boolean;
  #held = false;
  #music: { stop(): void } | undefined;

  constructor(leg: Leg, muted: boolean) {
    this.#leg = leg;
    this.#muted = muted;
  }

  get muted(): boolean {
    return this.#muted;
  }

  get held(): boolean {
    return this.#held;
  }

  /** As the worker is told it. */
  get cutOff(): Pick<RoomMute, 'muted' | 'deaf'> {
    return { muted: this.#muted || this.#held, deaf: this.#held };
  }

  /** @returns whether it is new */
  mute(muted: boolean): boolean {
    const isNew = this.#muted !== muted;
    this.#muted = muted;
    return isNew;
  }

  /** @returns whether it is new; other music for one who is held is not */
  hold(held: boolean, music: HoldMusic | undefined): boolean {
    const isNew = this.#held !== held;
    this.#held = held;
    this.stopMusic();
    if (held) this.#music = music?.(this.#leg);
    return isNew;
  }

  stopMusic(): void {
    this.#music?.stop();
    this.#music = undefined;
  }
}
