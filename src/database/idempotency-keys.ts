import { sql } from 'kysely';
import type { Db, IdempotencyKey } from './schema.ts';

/** One try to be the first request under a key. */
export interface IdempotencyClaim {
  accountId: string;
  keyDigest: string;
  requestDigest: string;
  /** Names this try: only it may answer. */
  owner: string;
  now: Date;
  leaseUntil: Date;
  expiresAt: Date;
}

type Claimed = Pick<IdempotencyClaim, 'accountId' | 'keyDigest' | 'owner'>;

/** So many that have expired are removed with each new key: the table does not outgrow its use. */
const removedAtOnce = 100;

/**
 * Takes the key: one that nobody used, whose time is over, or whose request a crash kept from its answer.
 * @returns undefined when the key is this claim's, else what another request made of it
 */
export async function claimIdempotencyKey(
  db: Db,
  claim: IdempotencyClaim,
): Promise<IdempotencyKey | undefined> {
  const { accountId, keyDigest, now } = claim;
  for (;;) {
    const { numInsertedOrUpdatedRows } = await insertOrTakeOver(db, claim);
    if (numInsertedOrUpdatedRows === 1n) return undefined;
    const row = await db
      .selectFrom('idempotencyKeys')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('keyDigest', '=', keyDigest)
      .executeTakeFirst();
    // Gone between the two, or its time came: it can be taken now.
    if (row && row.expiresAt > now) return row;
  }
}

async function insertOrTakeOver(db: Db, { now, ...values }: IdempotencyClaim) {
  return await db
    .insertInto('idempotencyKeys')
    .values({ ...values, state: 'running' })
    .onConflict((conflict) =>
      conflict
        .columns(['accountId', 'keyDigest'])
        .doUpdateSet({ ...values, state: 'running', status: null, sealedAnswer: null })
        .where((eb) =>
          eb.or([
            eb('idempotencyKeys.expiresAt', '<=', now),
            eb.and([
              eb('idempotencyKeys.state', '=', 'running'),
              eb('idempotencyKeys.leaseUntil', '<=', now),
              eb('idempotencyKeys.requestDigest', '=', values.requestDigest),
            ]),
          ]),
        ),
    )
    .executeTakeFirstOrThrow();
}

export async function extendIdempotencyLease(db: Db, claimed: Claimed, leaseUntil: Date): Promise<void> {
  await ownRow(db, claimed).set({ leaseUntil }).execute();
}

/** @param sealedAnswer null where it is not kept */
export async function finishIdempotencyKey(
  db: Db,
  claimed: Claimed,
  { status, sealedAnswer }: { status: number; sealedAnswer: string | null },
): Promise<void> {
  await ownRow(db, claimed).set({ state: 'done', status, sealedAnswer }).execute();
}

/** Nothing was done: the next request with this key is a first one. */
export async function releaseIdempotencyKey(db: Db, { accountId, keyDigest, owner }: Claimed): Promise<void> {
  await db
    .deleteFrom('idempotencyKeys')
    .where('accountId', '=', accountId)
    .where('keyDigest', '=', keyDigest)
    .where('owner', '=', owner)
    .execute();
}

export async function removeExpiredIdempotencyKeys(db: Db, now: Date): Promise<void> {
  await sql`
    DELETE FROM callreel.idempotency_keys WHERE ctid IN (
      SELECT ctid FROM callreel.idempotency_keys WHERE expires_at <= ${now} LIMIT ${removedAtOnce}
      FOR UPDATE SKIP LOCKED
    )`.execute(db);
}

/** Keeps the latest so many of an account; running ones stay. */
export async function removeOldestIdempotencyKeys(db: Db, accountId: string, kept: number): Promise<void> {
  await sql`
    DELETE FROM callreel.idempotency_keys
    WHERE account_id = ${accountId} AND state = 'done' AND expires_at <= (
      SELECT expires_at FROM callreel.idempotency_keys WHERE account_id = ${accountId}
      ORDER BY expires_at DESC OFFSET ${kept} LIMIT 1
    )`.execute(db);
}

function ownRow(db: Db, { accountId, keyDigest, owner }: Claimed) {
  return db
    .updateTable('idempotencyKeys')
    .where('accountId', '=', accountId)
    .where('keyDigest', '=', keyDigest)
    .where('owner', '=', owner);
}
