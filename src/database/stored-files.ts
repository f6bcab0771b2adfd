import { sql } from 'kysely';
import type { Db, Delivery } from './schema.ts';

/** A delivery whose object is in our own store. */
export type StoredFile = Delivery & { deliveredAt: Date; bytes: number };

export interface StoredFileFilter {
  /** Undefined: of all applications. */
  applicationKey?: string | undefined;
  /** By when it came there, both included. */
  from?: Date | undefined;
  to?: Date | undefined;
}

const place = 'sdrive://';

/** What lies under each name: the last one that was written there, unless it was removed since. */
function storedFiles(db: Db, accountId: string) {
  return db
    .selectFrom((eb) =>
      eb
        .selectFrom('deliveries')
        .selectAll()
        .distinctOn('key')
        .where('accountId', '=', accountId)
        .where('place', '=', place)
        .where('deliveredAt', 'is not', null)
        .orderBy('key')
        .orderBy('deliveredAt', 'desc')
        .orderBy('createdAt', 'desc')
        .as('files'),
    )
    .selectAll()
    .where('state', '=', 'delivered')
    .where((eb) => eb.or([eb('removedAt', 'is', null), eb('removedAt', '<', eb.ref('deliveredAt'))]));
}

/** Latest first. */
export async function listStoredFiles(
  db: Db,
  accountId: string,
  { offset, limit, filter = {} }: { offset: number; limit: number; filter?: StoredFileFilter },
): Promise<StoredFile[]> {
  const { applicationKey, from, to } = filter;
  const rows = await storedFiles(db, accountId)
    .$if(applicationKey !== undefined, (query) => query.where('applicationKey', '=', applicationKey!))
    .$if(from !== undefined, (query) => query.where('deliveredAt', '>=', from!))
    .$if(to !== undefined, (query) => query.where('deliveredAt', '<=', to!))
    .orderBy('deliveredAt', 'desc')
    .orderBy('deliveryId', 'desc')
    .offset(offset)
    .limit(limit)
    .execute();
  return rows as StoredFile[];
}

export async function getStoredFile(db: Db, accountId: string, key: string): Promise<StoredFile | undefined> {
  const row = await storedFiles(db, accountId).where('key', '=', key).executeTakeFirst();
  return row as StoredFile | undefined;
}

/** It is gone from the store; the recording is not. */
export async function setStoredFileRemoved(db: Db, deliveryId: string): Promise<void> {
  await db
    .updateTable('deliveries')
    // By the clock of what says when it was delivered, whose time need not be ours.
    .set({ removedAt: sql<Date>`delivered_at` })
    .where('deliveryId', '=', deliveryId)
    .execute();
}

/** A transcript in our own store, and whose it is. */
export interface StoredTranscript {
  recordingId: string;
  key: string;
  applicationKey: string;
}

/** The last one that was written under this name, unless it was erased since. */
export async function getStoredTranscript(
  db: Db,
  accountId: string,
  key: string,
): Promise<StoredTranscript | undefined> {
  const row = await db
    .selectFrom('transcripts')
    .innerJoin('deliveries', 'deliveries.recordingId', 'transcripts.recordingId')
    .select(['transcripts.recordingId', 'transcripts.key', 'deliveries.applicationKey'])
    .where('transcripts.accountId', '=', accountId)
    .where('transcripts.destination', '=', place + key)
    .where('transcripts.state', '!=', 'abandoned')
    .orderBy('transcripts.deliveredAt', 'desc')
    .orderBy('transcripts.createdAt', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { ...row, key };
}
