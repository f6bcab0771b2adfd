import { compiledQuery } from './compiled-query.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import { jsonRows, recordset } from './recordset.ts';
import type { Connection, Db, Recording, SipLog } from './schema.ts';

export interface SavedLegLog {
  connectionId: string;
  messages: unknown;
  dropped: number;
  media: unknown;
}

const logColumns = { connectionId: 'text', messages: 'jsonb', dropped: 'bigint', media: 'jsonb' } as const;

/** Keeps media figures and messages of connections, each once; nothing for a connection that is not on record. */
export async function saveLegLogs(db: Db, logs: readonly SavedLegLog[]): Promise<void> {
  await insertLogs(db, { rows: jsonRows<SavedLegLog>(logColumns, logs) });
}

const insertLogs = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .with('leg', (query) =>
      query
        .updateTable('connections')
        .from(recordset<SavedLegLog>(logColumns, rows))
        .set(({ ref }) => ({ media: ref('given.media') }))
        .whereRef('connections.connectionId', '=', 'given.connectionId')
        .returning(['connections.connectionId', 'given.messages', 'given.dropped']),
    )
    .insertInto('sipLogs')
    .columns(['connectionId', 'messages', 'dropped'])
    .expression((eb) => eb.selectFrom('leg').select(['leg.connectionId', 'leg.messages', 'leg.dropped']))
    .onConflict((conflict) => conflict.column('connectionId').doNothing()),
);

/** What was kept of these connections; nothing of those that go on or ended a moment ago. */
export async function listLegLogs(
  db: Db,
  connectionIds: readonly string[],
): Promise<(SipLog & Pick<Connection, 'media'>)[]> {
  if (connectionIds.length === 0) return [];
  return await db
    .selectFrom('sipLogs')
    .innerJoin('connections', 'connections.connectionId', 'sipLogs.connectionId')
    .selectAll('sipLogs')
    .select('connections.media')
    .where('sipLogs.connectionId', 'in', connectionIds)
    .execute();
}

export interface CallFilter {
  from?: string | undefined;
  to?: string | undefined;
  status?: Connection['status'] | undefined;
  direction?: Connection['direction'] | undefined;
}

/** The connections that calls began with, latest first. */
export async function pageCalls(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: CallFilter },
): Promise<Page<Connection>> {
  const { from, to, status, direction } = filter;
  const positionOf = (row: Connection) => ({ at: row.startTime, id: row.connectionId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('connections')
      .selectAll()
      .where('accountId', '=', accountId)
      .whereRef('callId', '=', 'connectionId')
      .$if(from !== undefined, (query) => query.where('from', '=', from!))
      .$if(to !== undefined, (query) => query.where('to', '=', to!))
      .$if(status !== undefined, (query) => query.where('status', '=', status!))
      .$if(direction !== undefined, (query) => query.where('direction', '=', direction!))
      .$if(beyond !== undefined, (query) =>
        query.where((eb) =>
          eb(eb.refTuple('startTime', 'connectionId'), comparison, eb.tuple(beyond!.at, beyond!.id)),
        ),
      )
      .orderBy('startTime', order)
      .orderBy('connectionId', order)
      .limit(limit)
      .execute(),
  );
}

/** Of each of these calls, how many legs it has. */
export async function countLegs(db: Db, callIds: readonly string[]): Promise<Map<string, number>> {
  if (callIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('connections')
    .select(({ fn }) => ['callId', fn.countAll<number>().as('legs')])
    .where('callId', 'in', callIds)
    .groupBy('callId')
    .execute();
  return new Map(rows.map(({ callId, legs }) => [callId, Number(legs)]));
}

/** The legs of the call that this connection belongs to, in the order they began; none where there is no such one. */
export async function listLegs(db: Db, accountId: string, connectionId: string): Promise<Connection[]> {
  return await db
    .selectFrom('connections')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('callId', '=', (eb) =>
      eb
        .selectFrom('connections')
        .select('callId')
        .where('accountId', '=', accountId)
        .where('connectionId', '=', connectionId),
    )
    .orderBy('startTime')
    .orderBy('connectionId')
    .execute();
}

/** One stay of a leg that is in a recording. */
export interface RecordedStay {
  connectionId: string;
  channelId: string;
  recordingId: string;
}

/** Of recordings that ended. */
export async function listRecordedStays(db: Db, connectionIds: readonly string[]): Promise<RecordedStay[]> {
  if (connectionIds.length === 0) return [];
  return await db
    .selectFrom('channels')
    .select(['connectionId', 'channelId', 'recordingId'])
    .where('connectionId', 'in', connectionIds)
    .orderBy('startMs')
    .orderBy('channelId')
    .execute();
}

/** Recordings that these connections may be in, except for erased ones. */
export async function listRecordingsOfConnections(
  db: Db,
  connectionIds: readonly string[],
  liveConversationIds: readonly string[],
): Promise<Recording[]> {
  return await db
    .selectFrom('recordings')
    .selectAll()
    .where('sealedKey', 'is not', null)
    .where((eb) =>
      eb.or([
        eb(
          'recordingId',
          'in',
          eb
            .selectFrom('channels')
            .select('recordingId')
            .where('connectionId', 'in', [...connectionIds, '']),
        ),
        eb('conversationId', 'in', [...liveConversationIds, '']),
      ]),
    )
    .orderBy('startedAt')
    .orderBy('recordingId')
    .execute();
}
