import { compiledQuery } from './compiled-query.ts';
import { json } from './json.ts';
import type { Db } from './schema.ts';
import type { TranscriptRow } from './transcript-table.ts';

export type NewTranscript = Pick<
  TranscriptRow,
  'recordingId' | 'conversationId' | 'accountId' | 'node' | 'locale' | 'createdAt'
>;

/** A recording has one transcript: one that is known already stays as it is. */
export async function insertTranscript(db: Db, transcript: NewTranscript): Promise<void> {
  await db
    .insertInto('transcripts')
    .values({ ...transcript, state: 'waiting', attempts: 0 })
    .onConflict((conflict) => conflict.column('recordingId').doNothing())
    .execute();
}

export async function getTranscript(db: Db, recordingId: string): Promise<TranscriptRow | undefined> {
  return await db
    .selectFrom('transcripts')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .executeTakeFirst();
}

/** Must run in a transaction: nobody else changes the row before its end. */
export async function lockTranscript(trx: Db, recordingId: string): Promise<TranscriptRow | undefined> {
  return await trx
    .selectFrom('transcripts')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .forUpdate()
    .executeTakeFirst();
}

export interface TranscriptChange
  extends Partial<
    Pick<
      TranscriptRow,
      | 'state'
      | 'locale'
      | 'queuedAt'
      | 'attempts'
      | 'nextAttemptAt'
      | 'errorCode'
      | 'errorMessage'
      | 'text'
      | 'key'
      | 'destination'
      | 'bytes'
      | 'deliveredAt'
    >
  > {
  transcript?: object | null;
}

/** @returns the row as it is now */
export async function changeTranscript(
  db: Db,
  recordingId: string,
  { transcript, ...change }: TranscriptChange,
): Promise<TranscriptRow | undefined> {
  return await db
    .updateTable('transcripts')
    .set({
      ...change,
      ...(transcript !== undefined && { transcript: transcript === null ? null : json(transcript) }),
    })
    .where('recordingId', '=', recordingId)
    .returningAll()
    .executeTakeFirst();
}

/** Whether this node has anything to do by then, as far as its rows say; asked for each second, mostly in vain. */
export async function hasDueTranscripts(db: Db, node: string, now: Date): Promise<boolean> {
  return (await findDue(db, { node, now })).length > 0;
}

const findDue = compiledQuery((db, { node, now }: { node: string; now: Date }) =>
  db
    .selectFrom('transcripts')
    .select('node')
    .where('node', '=', node)
    .where('nextAttemptAt', '<=', now)
    .limit(1),
);

export interface DueQuery {
  now: Date;
  limit: number;
  except: readonly string[];
}

function due(db: Db, node: string, { now, limit, except }: DueQuery) {
  return db
    .selectFrom('transcripts')
    .selectAll()
    .where('node', '=', node)
    .where('nextAttemptAt', '<=', now)
    .$if(except.length > 0, (query) => query.where('recordingId', 'not in', except))
    .orderBy('nextAttemptAt')
    .limit(limit);
}

/** Those of this node that are to be made, the longest due first. */
export async function listTranscriptsToMake(db: Db, node: string, query: DueQuery): Promise<TranscriptRow[]> {
  return await due(db, node, query).where('transcript', 'is', null).execute();
}

/** Those whose files are to be delivered; each behind the file of its recording. */
export async function listTranscriptsToDeliver(
  db: Db,
  node: string,
  query: DueQuery,
): Promise<TranscriptRow[]> {
  return await due(db, node, query)
    .where('transcript', 'is not', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('deliveries')
            .select('deliveryId')
            .whereRef('deliveries.recordingId', '=', 'transcripts.recordingId')
            .where('deliveries.state', 'in', ['waiting', 'uploading', 'failing']),
        ),
      ),
    )
    .execute();
}

/** What a process that ended was at, is due. */
export async function reviveInterruptedTranscripts(db: Db, node: string, now: Date): Promise<void> {
  await db
    .updateTable('transcripts')
    .set({ nextAttemptAt: now })
    .where('node', '=', node)
    .where('state', '=', 'running')
    .execute();
}

/**
 * Whether the credentials of its recording's delivery are still needed: its file is to go there, or it was given up and
 * may be asked for again. Must run in a transaction: whoever ends that meanwhile waits, and drops them himself.
 */
export async function isTranscriptOpen(trx: Db, recordingId: string): Promise<boolean> {
  const found = await trx
    .selectFrom('transcripts')
    .select('recordingId')
    .where('recordingId', '=', recordingId)
    .where((eb) =>
      eb.or([
        eb('state', 'in', ['waiting', 'running', 'failing']),
        eb('state', '=', 'dead').and('nextAttemptAt', 'is not', null),
      ]),
    )
    .forShare()
    .executeTakeFirst();
  return found !== undefined;
}

/** Nobody needs the credentials any more of a recording that is delivered, or was given up long ago. */
export async function dropDeliveredCredentials(db: Db, recordingId: string): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ sealedCredentials: null })
    .where('recordingId', '=', recordingId)
    .where((eb) =>
      eb.or([eb('state', '=', 'delivered'), eb('state', '=', 'dead').and('nextAttemptAt', 'is', null)]),
    )
    .execute();
}

/** Whose object is this now? The one that was written there last. */
export async function lastTranscriptAt(db: Db, destination: string): Promise<TranscriptRow | undefined> {
  return await db
    .selectFrom('transcripts')
    .selectAll()
    .where('destination', '=', destination)
    .orderBy('deliveredAt', 'desc')
    .orderBy('createdAt', 'desc')
    .limit(1)
    .executeTakeFirst();
}
