import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { Registration } from './registration.ts';
import type { Log } from './session-context.ts';

export type RegistrationState =
  | 'idle'
  | 'registering'
  | 'registered'
  | 'refreshing'
  | 'waiting'
  | 'removing'
  | 'closed';
export type RegistrationEvent =
  | 'register'
  | 'granted'
  | 'failed'
  | 'refresh-due'
  | 'retry-due'
  | 'close'
  | 'removed';

/** RFC 3261 section 10.2, RFC 5626 section 4.5 for what follows a failure. */
export const registrationTable: TransitionTable<RegistrationState, RegistrationEvent> = {
  idle: {
    register: 'registering', // 10.2
    close: 'closed', // 10.2.2: nothing is bound that could be removed
  },
  registering: {
    granted: 'registered', // 10.2.4: 2xx
    failed: 'waiting', // 10.2.7, 5626 4.5
    close: 'removing', // 10.2.2: the REGISTER under way may still bind us
  },
  registered: {
    'refresh-due': 'refreshing', // 10.2.4: before the binding expires
    close: 'removing', // 10.2.2
  },
  refreshing: {
    granted: 'registered', // 10.2.4
    failed: 'waiting', // 10.2.7, 5626 4.5
    close: 'removing', // 10.2.2
  },
  waiting: {
    'retry-due': 'registering', // 5626 4.5
    close: 'closed', // 10.2.2: nothing that we know of is bound
  },
  removing: {
    removed: 'closed', // 10.2.2, or nobody answered
  },
  closed: {},
};

export interface RegistrationStatus {
  readonly state: RegistrationState;
  /** The last one that was granted. */
  readonly registration: Registration | undefined;
  /** Set while the binding holds. */
  readonly expiresUnixMs: number | undefined;
  /** Why the last attempt failed; undefined after one that did not. */
  readonly error: CallreelError | undefined;
  readonly consecutiveFailures: number;
  /** When the next REGISTER goes out. */
  readonly nextAttemptUnixMs: number | undefined;
}

/** `RegistrationClient`, as much of it as is needed. */
export interface Registering {
  /** @throws CallreelError SIP_REFUSED, SIP_UNREACHABLE and what resolving the address throws */
  register(expiresSeconds: number): Promise<Registration>;
}

export interface RegistrationKeeperOptions {
  clock: Clock;
  log: Log;
  client: Registering;
  expiresSeconds?: number;
  /** Told after every change of `status`. */
  changed?(status: RegistrationStatus): void;
  /** 0 to 1. */
  random?(): number;
}

const defaultExpiresSeconds = 3600;
/** Part of the granted time after which a binding is refreshed. */
const refreshPart = 0.8;
/** A registrar that grants less is asked at this pace all the same. */
const minRefreshMs = 5_000;
/** RFC 5626 section 4.5: the wait doubles from the first to the second, then a part of 50 to 100 % of it is taken. */
const firstRetryMs = 30_000;
const maxRetryMs = 1_800_000;
const removalLimitMs = 4_000;

/** Keeps one contact registered: refreshes it in time, tries again after a failure, removes it at the end. */
export class RegistrationKeeper {
  readonly #options: RegistrationKeeperOptions;
  #state: RegistrationState = 'idle';
  #registration: Registration | undefined;
  #expiresUnixMs: number | undefined;
  #error: CallreelError | undefined;
  #failures = 0;
  #timer: Timer | undefined;
  #nextAttemptUnixMs: number | undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor(options: RegistrationKeeperOptions) {
    this.#options = options;
  }

  get status(): RegistrationStatus {
    const holds = this.#expiresUnixMs !== undefined && this.#expiresUnixMs > this.#options.clock.unixMs();
    return {
      state: this.#state,
      registration: this.#registration,
      expiresUnixMs: holds ? this.#expiresUnixMs : undefined,
      error: this.#error,
      consecutiveFailures: this.#failures,
      nextAttemptUnixMs: this.#nextAttemptUnixMs,
    };
  }

  /** Begins; whatever happens is in `status`. Once. */
  start(): void {
    if (this.#move('register')) this.#attempt();
  }

  /** Removes the binding, without waiting long for the registrar. Idempotent; never rejects. */
  async close(): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'removing') return this.#underWay;
    this.#timer?.cancel();
    if (this.#move('close') === 'removing') this.#underWay = this.#remove(this.#underWay);
    return this.#underWay;
  }

  #attempt(): void {
    const { client, expiresSeconds = defaultExpiresSeconds } = this.#options;
    this.#underWay = client.register(expiresSeconds).then(
      (registration) => this.#granted(registration),
      (error: unknown) => this.#failed(error),
    );
  }

  #granted(registration: Registration): void {
    // Closed meanwhile: the removal follows by itself.
    if (this.#state !== 'registering' && this.#state !== 'refreshing') return;
    const grantedMs = registration.expiresSeconds * 1000;
    this.#registration = registration;
    this.#expiresUnixMs = this.#options.clock.unixMs() + grantedMs;
    this.#error = undefined;
    this.#failures = 0;
    this.#schedule(Math.max(grantedMs * refreshPart, minRefreshMs), 'refresh-due');
    this.#move('granted');
  }

  #failed(error: unknown): void {
    if (this.#state !== 'registering' && this.#state !== 'refreshing') return;
    this.#error =
      error instanceof CallreelError
        ? error
        : new CallreelError('SIP_UNREACHABLE', 'the registration failed', { cause: error });
    this.#failures++;
    const { message, where } = this.#error;
    this.#options.log('warn', 'a registration failed', { message, where, failures: this.#failures });
    this.#schedule(this.#retryMs(), 'retry-due');
    this.#move('failed');
  }

  #retryMs(): number {
    const { random = Math.random } = this.#options;
    const longestMs = Math.min(firstRetryMs * 2 ** (this.#failures - 1), maxRetryMs);
    return Math.round(longestMs * (0.5 + random() / 2));
  }

  #schedule(delayMs: number, event: 'refresh-due' | 'retry-due'): void {
    const { clock } = this.#options;
    this.#nextAttemptUnixMs = clock.unixMs() + delayMs;
    this.#timer = clock.after(delayMs, () => {
      this.#nextAttemptUnixMs = undefined;
      if (this.#move(event)) this.#attempt();
    });
  }

  /** @param before the attempt under way, which may still bind us */
  async #remove(before: Promise<void>): Promise<void> {
    const { clock, client } = this.#options;
    const { promise: patienceOver, resolve } = Promise.withResolvers<void>();
    const patience = clock.after(removalLimitMs, resolve);
    const removed = before
      .then(() => client.register(0))
      .catch((error: unknown) =>
        this.#options.log('debug', 'a registration could not be removed', { error }),
      );
    await Promise.race([removed, patienceOver]);
    patience.cancel();
    this.#expiresUnixMs = undefined;
    this.#move('removed');
  }

  /** @returns the state it led to; undefined where it is not listed */
  #move(event: RegistrationEvent): RegistrationState | undefined {
    const next = nextState('registration', registrationTable, this.#state, event);
    if (next === undefined) return undefined;
    this.#state = next;
    if (event === 'close') this.#nextAttemptUnixMs = undefined;
    this.#options.changed?.(this.status);
    return next;
  }
}
