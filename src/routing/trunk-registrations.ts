import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { RegistrationStatus } from '../sip/registration-keeper.ts';
import type { Trunk } from './trunk.ts';

/** What the SIP stack does for one trunk (`UserAgent.keepRegistered`). */
export interface Keeper {
  readonly status: RegistrationStatus;
  start(): void;
  close(): Promise<void>;
}

export interface TrunkRegistrationsOptions {
  clock: Clock;
  log: { warn(fields: object, message: string): void };
  list(): Promise<readonly Trunk[]>;
  /** @throws CallreelError for a trunk that cannot be registered: SPOOL_KEY_MISSING, REQUEST_INVALID */
  keep(trunk: Trunk, changed: (status: RegistrationStatus) => void): Keeper;
}

export type TrunkState = 'registering' | 'registered' | 'failing';

/** How a registering trunk stands, as operators see it. */
export interface TrunkRegistration {
  state: TrunkState;
  /** When `state` began. */
  sinceUnixMs: number;
  expiresUnixMs: number | undefined;
  nextAttemptUnixMs: number | undefined;
  /** Of the last attempt; undefined when it went well. */
  lastError: string | undefined;
}

interface Kept {
  /** What would make another registration necessary. */
  fingerprint: string;
  keeper: Keeper | undefined;
  state: TrunkState;
  sinceUnixMs: number;
  refusal: string | undefined;
}

/** Keeps every trunk registered that wants it, for as long as it is in the database. */
export class TrunkRegistrations {
  readonly #options: TrunkRegistrationsOptions;
  readonly #kept = new Map<string, Kept>();
  #underWay: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: TrunkRegistrationsOptions) {
    this.#options = options;
  }

  /** Brings the registrations up to what the database says; one after the other, however often it is asked. */
  sync(): Promise<void> {
    const next = this.#underWay.then(() => this.#sync());
    this.#underWay = next.catch(() => undefined);
    return next;
  }

  /** Undefined for a trunk that does not register. */
  of(trunkId: string): TrunkRegistration | undefined {
    const kept = this.#kept.get(trunkId);
    if (kept === undefined) return undefined;
    const { state, sinceUnixMs, keeper, refusal } = kept;
    return {
      state,
      sinceUnixMs,
      expiresUnixMs: keeper?.status.expiresUnixMs,
      nextAttemptUnixMs: keeper?.status.nextAttemptUnixMs,
      lastError: refusal ?? describe(keeper?.status.error),
    };
  }

  /** Removes every binding. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#underWay;
    await Promise.all([...this.#kept.keys()].map((trunkId) => this.#drop(trunkId)));
  }

  async #sync(): Promise<void> {
    if (this.#closed) return;
    const wanted = new Map(
      (await this.#options.list())
        .filter(({ registers }) => registers)
        .map((trunk) => [trunk.trunkId, trunk]),
    );
    for (const [trunkId, { fingerprint }] of [...this.#kept]) {
      const trunk = wanted.get(trunkId);
      if (trunk && fingerprintOf(trunk) === fingerprint) wanted.delete(trunkId);
      else await this.#drop(trunkId);
    }
    for (const trunk of wanted.values()) this.#open(trunk);
  }

  #open(trunk: Trunk): void {
    const { clock, log, keep } = this.#options;
    const kept: Kept = {
      fingerprint: fingerprintOf(trunk),
      keeper: undefined,
      state: 'registering',
      sinceUnixMs: clock.unixMs(),
      refusal: undefined,
    };
    this.#kept.set(trunk.trunkId, kept);
    try {
      kept.keeper = keep(trunk, (status) => this.#changed(trunk, kept, status));
      kept.keeper.start();
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      kept.state = 'failing';
      kept.refusal = error.message;
      log.warn({ trunk: trunk.name, error }, 'a trunk cannot be registered');
    }
  }

  #changed(trunk: Trunk, kept: Kept, status: RegistrationStatus): void {
    const state = stateOf(status);
    if (state === kept.state) return;
    kept.state = state;
    kept.sinceUnixMs = this.#options.clock.unixMs();
    if (state === 'failing')
      this.#options.log.warn({ trunk: trunk.name, error: status.error }, 'a trunk is not registered');
  }

  async #drop(trunkId: string): Promise<void> {
    const kept = this.#kept.get(trunkId);
    this.#kept.delete(trunkId);
    await kept?.keeper?.close();
  }
}

/** One failed refresh is a failure, though the binding still holds: the next may come too late. */
function stateOf({ error, registration }: RegistrationStatus): TrunkState {
  if (error !== undefined) return 'failing';
  return registration === undefined ? 'registering' : 'registered';
}

function describe(error: CallreelError | undefined): string | undefined {
  return error && `${error.message}${error.where === undefined ? '' : ` (${error.where})`}`;
}

function fingerprintOf({ host, port, transport, username, sealedPassword, ...trunk }: Trunk): string {
  const { registrar, contactUser, outboundProxy, options } = trunk;
  const { fromDomain } = options;
  return JSON.stringify([
    ...[host, port, transport, username, sealedPassword],
    ...[registrar, contactUser, outboundProxy, fromDomain],
  ]);
}
