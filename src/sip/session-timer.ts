import type { Clock, Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { AgreedTimer } from './session-expires.ts';

export type SessionTimerState = 'off' | 'ours' | 'refreshing' | 'theirs' | 'expired';
export type SessionTimerEvent =
  | 'agree-ours'
  | 'agree-theirs'
  | 'agree-none'
  | 'half-time'
  | 'not-refreshed'
  | 'expire';

/** RFC 4028. */
export const sessionTimerTable: TransitionTable<SessionTimerState, SessionTimerEvent> = {
  off: {
    'agree-ours': 'ours', // 7.2, 9: a 2xx names us as the refresher
    'agree-theirs': 'theirs', // 7.2, 9
    'agree-none': 'off', // 7.2: the 2xx has no Session-Expires
  },
  ours: {
    'agree-ours': 'ours', // 7.4: any re-INVITE or UPDATE starts the interval again
    'agree-theirs': 'theirs', // 7.4: roles may change with each
    'agree-none': 'off', // 7.4
    'half-time': 'refreshing', // 10: the refresher refreshes when half the interval has passed
  },
  refreshing: {
    'agree-ours': 'ours', // 7.4
    'agree-theirs': 'theirs', // 7.4
    'agree-none': 'off', // 7.4
    'not-refreshed': 'ours', // 10: other failures than 408 and 481 end nothing by themselves
    expire: 'expired', // 10: BYE
  },
  theirs: {
    'agree-ours': 'ours', // 7.4
    'agree-theirs': 'theirs', // 7.4
    'agree-none': 'off', // 7.4
    expire: 'expired', // 10: BYE, min(32 s, a third of the interval) before it has passed
  },
  expired: {},
};

export interface SessionTimerUser {
  /** Half the interval has passed: a refresh, whose outcome comes by `agree` or `notRefreshed`. */
  refresh(): void;
  /** No refresh came, or none got through. */
  expired(): void;
}

/** Below this a refresh that failed is not tried again: the answer would come too late. */
const lastAttemptMs = 2000;

/** Whether a session is still alive, asked again and again by one of its two sides (RFC 4028 section 10). */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #user: SessionTimerUser;
  #state: SessionTimerState = 'off';
  #agreed: AgreedTimer | undefined;
  #expiresUs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, user: SessionTimerUser) {
    this.#clock = clock;
    this.#user = user;
  }

  get state(): SessionTimerState {
    return this.#state;
  }

  get agreed(): AgreedTimer | undefined {
    return this.#agreed;
  }

  /** A 2xx said so; undefined: no timer. */
  agree(agreed: AgreedTimer | undefined): void {
    const event =
      agreed === undefined ? 'agree-none' : agreed.weRefresh ? ('agree-ours' as const) : 'agree-theirs';
    if (!this.#move(event)) return;
    this.#agreed = agreed;
    this.#timer?.cancel();
    if (agreed === undefined) return;
    const intervalMs = agreed.seconds * 1000;
    const lifeMs = intervalMs - Math.min(32_000, intervalMs / 3);
    this.#expiresUs = this.#clock.monotonicUs() + lifeMs * 1000;
    if (agreed.weRefresh) this.#after(intervalMs / 2, () => this.#halfTime());
    else this.#after(lifeMs, () => this.#expire());
  }

  /** The refresh had a final answer that refreshes nothing. */
  notRefreshed(): void {
    if (this.#state !== 'refreshing' || this.#agreed === undefined) return;
    // A peer that watches nothing has shown with its refusal that it is there.
    if (!this.#agreed.peerWatches) {
      this.agree(this.#agreed);
      return;
    }
    const leftMs = (this.#expiresUs - this.#clock.monotonicUs()) / 1000;
    if (leftMs <= lastAttemptMs) return;
    this.#move('not-refreshed');
    this.#timer?.cancel();
    this.#after(leftMs / 2, () => this.#halfTime());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #halfTime(): void {
    if (!this.#move('half-time')) return;
    const leftMs = (this.#expiresUs - this.#clock.monotonicUs()) / 1000;
    this.#after(Math.max(leftMs, 0), () => this.#expire());
    this.#user.refresh();
  }

  #expire(): void {
    if (this.#move('expire')) this.#user.expired();
  }

  #after(delayMs: number, action: () => void): void {
    this.#timer = this.#clock.after(delayMs, action);
  }

  #move(event: SessionTimerEvent): boolean {
    const next = nextState('session-timer', sessionTimerTable, this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}
