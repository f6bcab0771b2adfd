import { type Insertable, sql } from 'kysely';
import type { ChannelFigures } from '../quality/channel-figures.ts';
import type { QualityFigures } from '../quality/quality-meter.ts';
import { compiledQuery } from './compiled-query.ts';
import { json } from './json.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { ClientState, Db, Recording, RecordingTable } from './schema.ts';

export type NewRecording = Omit<
  Insertable<RecordingTable>,
  'state' | 'reason' | 'endSample' | 'endedAt' | 'clientState' | 'wishes' | 'fileOrder'
> & {
  clientState?: ClientState | undefined;
  wishes?: object | undefined;
  fileOrder?: object | undefined;
  /** `recording` unless given. */
  state?: 'waiting' | undefined;
};

/** Before the recording's first packet; one that is known already stays as it is. */
export async function insertRecording(
  db: Db,
  { clientState, wishes, state, fileOrder, ...recording }: NewRecording,
): Promise<void> {
  await db
    .insertInto('recordings')
    .values({
      ...recording,
      state: state ?? 'recording',
      wishes: wishes === undefined ? null : json(wishes),
      fileOrder: fileOrder === undefined ? null : json(fileOrder),
      clientState: clientState === undefined ? null : json(clientState),
    })
    .onConflict((conflict) => conflict.column('recordingId').doNothing())
    .execute();
}

/**
 * Ends the recording once, with its reason: whoever gets the row sends the terminal event, in the same transaction.
 * @returns the row, or undefined when it had ended before
 */
export async function endRecording(
  db: Db,
  recordingId: string,
  end: {
    reason: string;
    startSample?: number;
    endSample: number;
    endedAt: Date;
    recordedSamples?: number;
    fileSamples?: number;
    digit?: string | null;
    notices?: readonly object[];
    /** Of the mix, where they are known by now. */
    quality?: QualityFigures | undefined;
  },
): Promise<Recording | undefined> {
  const { notices, quality, ...rest } = end;
  return await db
    .updateTable('recordings')
    .set((eb) => ({
      ...{ state: 'ended' as const, ...rest, ...(notices && { notices: json(notices) }) },
      ...(quality && { quality: eb.case().when('erasedAt', 'is', null).then(json(quality)).end() }),
      // Nothing else erases what has not ended, and nothing that ends it at the same moment takes its place.
      reason: eb.case().when('erasedAt', 'is not', null).then('consent_withdrawn').else(rest.reason).end(),
    }))
    .where('recordingId', '=', recordingId)
    .where('state', '!=', 'ended')
    .returningAll()
    .executeTakeFirst();
}

/** What the recording does now; one that has ended stays so. */
export async function setRecordingState(
  db: Db,
  recordingId: string,
  state: 'waiting' | 'recording' | 'paused',
): Promise<void> {
  await db
    .updateTable('recordings')
    .set({ state })
    .where('recordingId', '=', recordingId)
    .where('state', '!=', 'ended')
    .execute();
}

/** What became of its file; of one that was erased meanwhile nothing. */
export async function setRecordingFile(
  db: Db,
  recordingId: string,
  file: { fileState: 'written' | 'failed'; filePath: string | null; fileReason: string | null },
): Promise<void> {
  await db
    .updateTable('recordings')
    .set(file)
    .where('recordingId', '=', recordingId)
    .where('erasedAt', 'is', null)
    .execute();
}

/** Of what ended; of one that was erased meanwhile nothing. @param channels by their ids */
export async function setRecordingQuality(
  db: Db,
  recordingId: string,
  { mix, channels }: { mix: QualityFigures; channels: Readonly<Record<string, ChannelFigures>> },
): Promise<void> {
  const kept = await db
    .updateTable('recordings')
    .set({ quality: json(mix) })
    .where('recordingId', '=', recordingId)
    .where('erasedAt', 'is', null)
    .returning('recordingId')
    .executeTakeFirst();
  if (!kept) return;
  for (const [channelId, quality] of Object.entries(channels))
    await db
      .updateTable('channels')
      .set({ quality: json(quality) })
      .where('recordingId', '=', recordingId)
      .where('channelId', '=', channelId)
      .execute();
}

/** Those that began since then, ended on this node and were not measured. */
export async function listUnmeasuredRecordings(
  db: Db,
  node: string,
  startedSince: Date,
): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('node', '=', node)
    .where('state', '=', 'ended')
    .where('reason', 'not in', ['consent_withdrawn', 'error'])
    .where('quality', 'is', null)
    .where('erasedAt', 'is', null)
    .where('startedAt', '>=', startedSince)
    .orderBy('startedAt')
    .execute();
}

/** Those that ended on this node and whose files are not whole, but wanted. */
export async function listRecordingsWithoutFile(db: Db, node: string): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('node', '=', node)
    .where('fileOrder', 'is not', null)
    .where('fileState', 'is distinct from', 'written')
    .where('state', '=', 'ended')
    .where('erasedAt', 'is', null)
    .orderBy('startedAt')
    .execute();
}

/** All that is on record about consent by now. */
export async function setRecordingEvidence(
  db: Db,
  recordingId: string,
  { consent, notices }: { consent: readonly object[]; notices: readonly object[] },
): Promise<void> {
  await db
    .updateTable('recordings')
    .set({ consent: json(consent), notices: json(notices) })
    .where('recordingId', '=', recordingId)
    .execute();
}

/** Must run in a transaction: nobody else changes the row before its end. */
export async function lockRecording(
  trx: Db,
  accountId: string,
  recordingId: string,
): Promise<Recording | undefined> {
  return await trx
    .selectFrom('recordings')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('recordingId', '=', recordingId)
    .forUpdate()
    .executeTakeFirst();
}

export async function getRecording(
  db: Db,
  accountId: string,
  recordingId: string,
): Promise<Recording | undefined> {
  const recordings = await getRecordings(db, accountId, [recordingId]);
  return recordings.get(recordingId);
}

/** Those that are there, by their ids. */
export async function getRecordings(
  db: Db,
  accountId: string,
  recordingIds: readonly string[],
): Promise<Map<string, Recording>> {
  const recordings = await selectRecordings(db, { accountId, recordingIds });
  return new Map(recordings.map((recording) => [recording.recordingId, recording]));
}

/** Asked for with every file. */
const selectRecordings = compiledQuery(
  (db, { accountId, recordingIds }: { accountId: string; recordingIds: readonly string[] }) =>
    db
      .selectFrom('recordings')
      .selectAll()
      .where('accountId', '=', accountId)
      .where('recordingId', '=', sql<string>`any(${recordingIds})`),
);

export interface RecordingFilter {
  conversationId?: string | undefined;
  state?: Recording['state'] | undefined;
  /** By `startedAt`, both ends included. */
  startedFrom?: Date | undefined;
  startedTo?: Date | undefined;
  /** The number of either end of one of its channels; known once the recording ended. */
  party?: string | undefined;
  /** Undefined: whether erased or not. */
  erased?: boolean | undefined;
}

/** Latest first. */
export async function pageRecordings(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: RecordingFilter },
): Promise<Page<Recording>> {
  const { conversationId, state, startedFrom, startedTo, party, erased } = filter;
  const positionOf = (row: Recording) => ({ at: row.startedAt, id: row.recordingId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('recordings')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(conversationId !== undefined, (query) => query.where('conversationId', '=', conversationId!))
      .$if(state !== undefined, (query) => query.where('state', '=', state!))
      .$if(startedFrom !== undefined, (query) => query.where('startedAt', '>=', startedFrom!))
      .$if(startedTo !== undefined, (query) => query.where('startedAt', '<=', startedTo!))
      .$if(erased !== undefined, (query) => query.where('erasedAt', erased ? 'is not' : 'is', null))
      .$if(party !== undefined, (query) =>
        query.where((eb) =>
          eb(
            'recordingId',
            'in',
            eb
              .selectFrom('channels')
              .select('channels.recordingId')
              .where('channels.accountId', '=', accountId)
              .where((channel) =>
                channel.or([channel('channels.from', '=', party!), channel('channels.to', '=', party!)]),
              ),
          ),
        ),
      )
      .$if(beyond !== undefined, (query) =>
        query.where((eb) =>
          eb(eb.refTuple('startedAt', 'recordingId'), comparison, eb.tuple(beyond!.at, beyond!.id)),
        ),
      )
      .orderBy('startedAt', order)
      .orderBy('recordingId', order)
      .limit(limit)
      .execute(),
  );
}

/** In the order they began. */
export async function listRecordingsOfConversation(db: Db, conversationId: string): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('conversationId', '=', conversationId)
    .orderBy('startedAt')
    .orderBy('recordingId')
    .execute();
}

/** What this node has to finish after a restart. */
export async function listUnfinishedRecordings(db: Db, node: string): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('node', '=', node)
    .where('state', '!=', 'ended')
    .orderBy('startedAt')
    .execute();
}

/** Which of these are on record as ended. */
export async function findEndedRecordings(db: Db, recordingIds: readonly string[]): Promise<Set<string>> {
  if (recordingIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('recordings')
    .select('recordingId')
    .where('recordingId', 'in', recordingIds)
    .where('state', '=', 'ended')
    .execute();
  return new Set(rows.map((row) => row.recordingId));
}

/**
 * From now on the recording is given out no more; `finishErasure` follows when its files are gone.
 * @returns undefined when it is unknown, not ended, or erased before
 */
export async function beginErasure(
  db: Db,
  accountId: string,
  recordingId: string,
  erasedAt: Date,
): Promise<Recording | undefined> {
  return await db
    .updateTable('recordings')
    .set((eb) => ({ erasedAt: eb.fn.coalesce('erasedAt', eb.val(erasedAt)) }))
    .where('accountId', '=', accountId)
    .where('recordingId', '=', recordingId)
    .where('state', '=', 'ended')
    .where((eb) => eb.or([eb('erasedAt', 'is', null), eb('sealedKey', 'is not', null)]))
    .returningAll()
    .executeTakeFirst();
}

/** From now on it is given out no more, though it may run yet: it is erased once it has ended, whatever happens. */
export async function withdrawRecording(
  db: Db,
  accountId: string,
  recordingId: string,
  erasedAt: Date,
): Promise<void> {
  await db
    .updateTable('recordings')
    .set({ erasedAt })
    .where('accountId', '=', accountId)
    .where('recordingId', '=', recordingId)
    .where('erasedAt', 'is', null)
    .execute();
}

export async function finishErasure(db: Db, recordingId: string): Promise<void> {
  await db
    .updateTable('recordings')
    .set({
      sealedKey: null,
      fileOrder: null,
      fileState: null,
      filePath: null,
      fileReason: null,
      quality: null,
    })
    .where('recordingId', '=', recordingId)
    .execute();
  await db.updateTable('channels').set({ quality: null }).where('recordingId', '=', recordingId).execute();
}

/** Whose consent was withdrawn, in the spool of this directory, and which a crash kept from being erased. */
export async function listWithdrawnRecordings(db: Db, spoolDir: string): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('spoolDir', '=', spoolDir)
    .where('reason', '=', 'consent_withdrawn')
    .where('erasedAt', 'is', null)
    .execute();
}

/** What a crash kept from being erased, in the spool of this directory. */
export async function listHalfErasedRecordings(db: Db, spoolDir: string): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('spoolDir', '=', spoolDir)
    .where('erasedAt', 'is not', null)
    .where('sealedKey', 'is not', null)
    .execute();
}
