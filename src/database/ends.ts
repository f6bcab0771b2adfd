import { sql } from 'kysely';
import type { QualityFigures } from '../quality/quality-meter.ts';
import { compiledQuery } from './compiled-query.ts';
import { jsonRows, recordset } from './recordset.ts';
import type { Conversation, Db, Recording } from './schema.ts';

/** What ends in one moment ends in one query. Each ends once: whoever gets the row tells of it, in the same transaction. */
export interface RecordingEnd {
  recordingId: string;
  reason: string;
  startSample: number;
  endSample: number;
  endedAt: Date;
  recordedSamples: number;
  fileSamples: number;
  digit: string | null;
  notices: readonly object[];
  /** Of the mix, where they are known by now. */
  quality?: QualityFigures | undefined;
}

const recordingColumns = {
  recordingId: 'text',
  reason: 'text',
  startSample: 'bigint',
  endSample: 'bigint',
  endedAt: 'timestamptz',
  recordedSamples: 'bigint',
  fileSamples: 'bigint',
  digit: 'text',
  notices: 'jsonb',
  quality: 'jsonb',
} as const;

/** @returns the rows of those that had not ended before */
export async function endRecordings(db: Db, ends: readonly RecordingEnd[]): Promise<Recording[]> {
  if (ends.length === 0) return [];
  return await updateRecordings(db, { rows: jsonRows<RecordingEnd>(recordingColumns, ends) });
}

const updateRecordings = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .updateTable('recordings')
    .from(recordset<Required<RecordingEnd>>(recordingColumns, rows))
    .set(({ ref, fn, ...eb }) => ({
      state: 'ended' as const,
      startSample: ref('given.startSample'),
      endSample: ref('given.endSample'),
      endedAt: ref('given.endedAt'),
      recordedSamples: ref('given.recordedSamples'),
      fileSamples: ref('given.fileSamples'),
      digit: ref('given.digit'),
      notices: ref('given.notices'),
      quality: eb
        .case()
        .when('recordings.erasedAt', 'is', null)
        .then(fn.coalesce('given.quality', 'recordings.quality'))
        .end(),
      // Nothing else erases what has not ended, and nothing that ends it at the same moment takes its place.
      reason: eb
        .case()
        .when('recordings.erasedAt', 'is not', null)
        .then('consent_withdrawn')
        .else(ref('given.reason'))
        .end(),
    }))
    .whereRef('recordings.recordingId', '=', 'given.recordingId')
    .where('recordings.state', '!=', 'ended')
    .returningAll('recordings'),
);

export interface ConversationEnd {
  conversationId: string;
  endTime: Date;
  durationMs: number;
}

const conversationColumns = { conversationId: 'text', endTime: 'timestamptz', durationMs: 'bigint' } as const;

/** @returns the rows of those that had not ended before */
export async function endConversations(db: Db, ends: readonly ConversationEnd[]): Promise<Conversation[]> {
  return await updateConversations(db, { rows: jsonRows(conversationColumns, ends) });
}

const updateConversations = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .updateTable('conversations')
    .from(recordset<ConversationEnd>(conversationColumns, rows))
    .set(({ ref }) => ({
      status: 'ended' as const,
      endTime: ref('given.endTime'),
      durationMs: ref('given.durationMs'),
    }))
    .whereRef('conversations.conversationId', '=', 'given.conversationId')
    .where('conversations.status', '=', 'active')
    .returningAll('conversations'),
);

export interface ConnectionEnd {
  connectionId: string;
  endTime: Date;
  endReason: string | null;
}

const connectionColumns = { connectionId: 'text', endTime: 'timestamptz', endReason: 'text' } as const;

/** As `endConnection` (`connections.ts`), of many. */
export async function endConnections(db: Db, ends: readonly ConnectionEnd[]): Promise<void> {
  await updateConnections(db, { rows: jsonRows(connectionColumns, ends) });
}

const updateConnections = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .updateTable('connections')
    .from(recordset<ConnectionEnd>(connectionColumns, rows))
    .set(({ ref, ...eb }) => ({
      endTime: ref('given.endTime'),
      endReason: ref('given.endReason'),
      status: eb
        .case()
        .when('connections.status', '=', 'connected')
        .then('finished' as const)
        .else('failed' as const)
        .end(),
    }))
    .whereRef('connections.connectionId', '=', 'given.connectionId')
    .where('connections.status', 'in', ['connecting', 'connected']),
);

/** Those of these recordings that are on record. */
export async function findRecordings(db: Db, recordingIds: readonly string[]): Promise<Recording[]> {
  if (recordingIds.length === 0) return [];
  return await db.selectFrom('recordings').selectAll().where('recordingId', 'in', recordingIds).execute();
}

/** Those of these recordings whose files are wanted somewhere, and those that are transcribed. */
export async function findWanted(
  db: Db,
  recordingIds: readonly string[],
): Promise<{ delivered: Set<string>; transcribed: Set<string> }> {
  const wanted = await selectWanted(db, { recordingIds });
  const those = (isDelivery: boolean) =>
    new Set(wanted.filter((row) => row.isDelivery === isDelivery).map(({ recordingId }) => recordingId));
  return { delivered: those(true), transcribed: those(false) };
}

const selectWanted = compiledQuery((db, { recordingIds }: { recordingIds: readonly string[] }) => {
  const isOfThem = sql<string>`any(${recordingIds})`;
  return db
    .selectFrom('deliveries')
    .select(['recordingId', sql<boolean>`true`.as('isDelivery')])
    .where('recordingId', '=', isOfThem)
    .unionAll(
      db
        .selectFrom('transcripts')
        .select(['recordingId', sql<boolean>`false`.as('isDelivery')])
        .where('recordingId', '=', isOfThem),
    );
});

/** Every query of an end, of nobody (`warm-up.ts`). */
export async function endNothing(db: Db): Promise<void> {
  const rows = '[]';
  await updateRecordings(db, { rows });
  await selectWanted(db, { recordingIds: [] });
  await updateConversations(db, { rows });
  await updateConnections(db, { rows });
}
