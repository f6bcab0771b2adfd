import { createHmac } from 'node:crypto';
import { openSecret, sealSecret } from '../auth/sealed-secret.ts';
import { type Clock, sleep, type Timer } from '../clock.ts';
import {
  claimIdempotencyKey,
  extendIdempotencyLease,
  finishIdempotencyKey,
  releaseIdempotencyKey,
  removeExpiredIdempotencyKeys,
  removeOldestIdempotencyKeys,
} from '../database/idempotency-keys.ts';
import type { Db, IdempotencyKey } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import { Secret } from '../secret.ts';

export interface KeptAnswersOptions {
  accountId: string;
  db: Db;
  clock: Clock;
  log: Logger;
  /** Seals the answers; keys and requests are kept as digests under it. */
  masterKey: Secret<Buffer>;
}

export interface KeptAnswer {
  status: number;
  /** Empty where there is none. */
  body: string;
}

/** The first request under its key, while it runs: nobody else does it meanwhile. */
export interface RunningRequest {
  finish(answer: KeptAnswer): Promise<void>;
  /** Nothing was done. */
  release(): Promise<void>;
}

export type Beginning = { kind: 'first'; request: RunningRequest } | { kind: 'repeated'; answer: KeptAnswer };

/** What a request is known again by. */
export interface RequestOutline {
  method: string;
  /** With its query. */
  url: string;
  body: unknown;
}

const lifetimeMs = 24 * 3600 * 1000;
/** A request whose process died is done again after this time; one that runs renews it. */
export const leaseMs = 30_000;
/** How long a request waits for the first one with its key. */
export const patienceMs = 5000;
const pollMs = 100;
const maxAnswerLength = 256 * 1024;
const maxKeys = 100_000;
/** So many keys lie between two looks at how many there are. */
const keysBetweenLooks = 1000;

/** Requests with a key and what they were answered, in PostgreSQL: whichever process a repetition reaches knows it. */
export class KeptAnswers {
  readonly #options: KeptAnswersOptions;
  #begun = 0;

  constructor(options: KeptAnswersOptions) {
    this.#options = options;
  }

  /**
   * Waits a moment for a first request that still runs.
   * @throws CallreelError IDEMPOTENCY_KEY_REUSED for another request, IDEMPOTENCY_KEY_IN_USE while the first one runs,
   *   CONFLICT where its answer was not kept
   */
  async begin(key: string, outline: RequestOutline): Promise<Beginning> {
    const { db, clock, accountId } = this.#options;
    const deadlineUs = clock.monotonicUs() + patienceMs * 1000;
    const keyDigest = this.#digest('key', key);
    const requestDigest = this.#digest('request', canonicalJson(outline));
    await removeExpiredIdempotencyKeys(db, new Date(clock.unixMs()));
    if (this.#begun++ % keysBetweenLooks === 0) await removeOldestIdempotencyKeys(db, accountId, maxKeys);
    for (;;) {
      const owner = newId();
      const nowMs = clock.unixMs();
      const row = await claimIdempotencyKey(db, {
        accountId,
        keyDigest,
        requestDigest,
        owner,
        now: new Date(nowMs),
        leaseUntil: new Date(nowMs + leaseMs),
        expiresAt: new Date(nowMs + lifetimeMs),
      });
      if (!row) return { kind: 'first', request: this.#run(keyDigest, owner) };
      if (row.requestDigest !== requestDigest)
        throw new CallreelError('IDEMPOTENCY_KEY_REUSED', 'another request was sent with this key');
      if (row.state === 'done') return { kind: 'repeated', answer: this.#open(row) };
      if (clock.monotonicUs() >= deadlineUs)
        throw new CallreelError('IDEMPOTENCY_KEY_IN_USE', 'the first request with this key still runs');
      await sleep(clock, pollMs);
    }
  }

  #run(keyDigest: string, owner: string): RunningRequest {
    const { db, clock, log, accountId, masterKey } = this.#options;
    const claimed = { accountId, keyDigest, owner };
    let timer: Timer;
    const renewLater = (): void => {
      timer = clock.after(leaseMs / 3, () => {
        const leaseUntil = new Date(clock.unixMs() + leaseMs);
        extendIdempotencyLease(db, claimed, leaseUntil).catch((error: unknown) =>
          log.warn({ error }, 'the lease of a request could not be renewed'),
        );
        renewLater();
      });
    };
    renewLater();
    return {
      finish: async ({ status, body }) => {
        timer.cancel();
        // A body that is too large is not kept; an empty one is, as such.
        const sealedAnswer =
          body.length > maxAnswerLength ? null : sealSecret(masterKey, contextOf(claimed), new Secret(body));
        await finishIdempotencyKey(db, claimed, { status, sealedAnswer });
      },
      release: async () => {
        timer.cancel();
        await releaseIdempotencyKey(db, claimed);
      },
    };
  }

  #open(row: IdempotencyKey): KeptAnswer {
    if (row.status === null || row.sealedAnswer === null)
      throw new CallreelError('CONFLICT', 'the first request was done, but its answer was too large to keep');
    const body = openSecret(this.#options.masterKey, contextOf(row), row.sealedAnswer).reveal();
    return { status: row.status, body };
  }

  #digest(what: string, text: string): string {
    const { accountId, masterKey } = this.#options;
    return createHmac('sha256', masterKey.reveal())
      .update(`callreel idempotency ${what}\n${accountId}\n${text}`)
      .digest('base64url');
  }
}

function contextOf({ accountId, keyDigest }: Pick<IdempotencyKey, 'accountId' | 'keyDigest'>): string {
  return `idempotency ${accountId} ${keyDigest}`;
}

/** Members in the order of their names: two texts that say the same are the same request. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
