import { type Insertable, sql } from 'kysely';
import type { SipIdentity } from '../sip/caller-identity.ts';
import { compiledQuery } from './compiled-query.ts';
import { json } from './json.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import { jsonRows, recordset } from './recordset.ts';
import type { ClientState, Connection, ConnectionTable, Db } from './schema.ts';

export type NewConnection = Omit<
  Insertable<ConnectionTable>,
  'status' | 'endTime' | 'endReason' | 'sipIdentity' | 'callId' | 'media' | 'clientState'
> & {
  sipIdentity?: SipIdentity | undefined;
  callId?: string | undefined;
  clientState?: ClientState | undefined;
};

/** A new connection is `connecting`, and the first of its call unless told otherwise. */
export async function insertConnection(db: Db, connection: NewConnection): Promise<Connection> {
  return await db
    .insertInto('connections')
    .values(toRow(connection))
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** As `insertConnection`, those of one moment; one that is there already stays as it is. */
export async function insertConnections(db: Db, connections: readonly NewConnection[]): Promise<void> {
  const rows = connections.map((connection) => ({
    ...connection,
    callId: connection.callId ?? connection.connectionId,
    status: 'connecting',
  }));
  await insertRows(db, { rows: jsonRows<NewRow>(newColumns, rows) });
}

const newColumns = {
  connectionId: 'text',
  accountId: 'text',
  from: 'text',
  to: 'text',
  direction: 'text',
  status: 'text',
  startTime: 'timestamptz',
  sipCallId: 'text',
  sipIdentity: 'jsonb',
  trunkId: 'text',
  callId: 'text',
  clientState: 'jsonb',
} as const;
type NewRow = Partial<Record<keyof typeof newColumns, unknown>>;
const newNames = Object.keys(newColumns) as (keyof typeof newColumns)[];

const insertRows = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .insertInto('connections')
    .columns(newNames)
    .expression((eb) =>
      eb
        .selectFrom(recordset<NewRow>(newColumns, rows))
        .select(newNames.map((name) => `given.${name}` as const)),
    )
    .onConflict((conflict) => conflict.column('connectionId').doNothing()),
);

function toRow(connection: NewConnection) {
  const { sipIdentity, trunkId = null, clientState, callId = connection.connectionId } = connection;
  return {
    ...connection,
    callId,
    trunkId,
    sipIdentity: sipIdentity ? json(sipIdentity) : null,
    clientState: clientState === undefined ? null : json(clientState),
    status: 'connecting' as const,
  };
}

/** @returns how many of them were still connecting */
export async function setConnected(db: Db, connectionIds: readonly string[]): Promise<number> {
  const connected = await updateConnected(db, { connectionIds });
  return connected.length;
}

const updateConnected = compiledQuery((db, { connectionIds }: { connectionIds: readonly string[] }) =>
  db
    .updateTable('connections')
    .set({ status: 'connected' })
    .where('connectionId', '=', sql<string>`any(${connectionIds})`)
    .where('status', '=', 'connecting')
    .returning('connectionId'),
);

export interface KnownConnection {
  connectionId: string;
  from: string;
  to: string;
  sipIdentity?: SipIdentity | undefined;
  trunkId?: string | undefined;
}

const knownColumns = {
  connectionId: 'text',
  from: 'text',
  to: 'text',
  sipIdentity: 'jsonb',
  trunkId: 'text',
} as const;

interface KnownRow {
  connectionId: string;
  from: string;
  to: string;
  sipIdentity: SipIdentity | null;
  trunkId: string | null;
}

/** What became known after the rows were written: who calls, by which trunk. Each connection once. */
export async function identifyConnections(db: Db, known: readonly KnownConnection[]): Promise<void> {
  await updateKnown(db, { rows: jsonRows<KnownConnection>(knownColumns, known) });
}

const updateKnown = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .updateTable('connections')
    .from(recordset<KnownRow>(knownColumns, rows))
    .set(({ ref }) => ({
      from: ref('given.from'),
      to: ref('given.to'),
      sipIdentity: ref('given.sipIdentity'),
      trunkId: ref('given.trunkId'),
    }))
    .whereRef('connections.connectionId', '=', 'given.connectionId'),
);

/**
 * A connection that was connected is `finished`, one that never was is `failed`.
 * @returns the row, or undefined when it had ended before
 */
export async function endConnection(
  db: Db,
  connectionId: string,
  endTime: Date,
  endReason: string | null = null,
): Promise<Connection | undefined> {
  return await db
    .updateTable('connections')
    .set((eb) => ({
      endTime,
      endReason,
      status: eb
        .case()
        .when('status', '=', 'connected')
        .then('finished' as const)
        .else('failed' as const)
        .end(),
    }))
    .where('connectionId', '=', connectionId)
    .where('status', 'in', ['connecting', 'connected'])
    .returningAll()
    .executeTakeFirst();
}

/** After a restart: nothing of the previous run is connected any more. @returns how many there were */
export async function endLostConnections(db: Db, endTime: Date): Promise<number> {
  const lost = await db
    .selectFrom('connections')
    .select('connectionId')
    .where('status', 'in', ['connecting', 'connected'])
    .execute();
  for (const { connectionId } of lost) await endConnection(db, connectionId, endTime, 'interrupted');
  return lost.length;
}

export async function getConnection(
  db: Db,
  accountId: string,
  connectionId: string,
): Promise<Connection | undefined> {
  return await db
    .selectFrom('connections')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('connectionId', '=', connectionId)
    .executeTakeFirst();
}

/** In no order; ids that are not known are left out. */
export async function listConnections(
  db: Db,
  accountId: string,
  connectionIds: readonly string[],
): Promise<Connection[]> {
  if (connectionIds.length === 0) return [];
  return await db
    .selectFrom('connections')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('connectionId', 'in', connectionIds)
    .execute();
}

export interface ConnectionFilter {
  from?: string | undefined;
  to?: string | undefined;
  status?: Connection['status'] | undefined;
  direction?: Connection['direction'] | undefined;
  /** By `startTime`, both ends included. */
  minCreated?: Date | undefined;
  maxCreated?: Date | undefined;
}

/** Latest first. */
export async function pageConnections(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: ConnectionFilter },
): Promise<Page<Connection>> {
  const { from, to, status, direction, minCreated, maxCreated } = filter;
  const positionOf = (row: Connection) => ({ at: row.startTime, id: row.connectionId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('connections')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(from !== undefined, (query) => query.where('from', '=', from!))
      .$if(to !== undefined, (query) => query.where('to', '=', to!))
      .$if(status !== undefined, (query) => query.where('status', '=', status!))
      .$if(direction !== undefined, (query) => query.where('direction', '=', direction!))
      .$if(minCreated !== undefined, (query) => query.where('startTime', '>=', minCreated!))
      .$if(maxCreated !== undefined, (query) => query.where('startTime', '<=', maxCreated!))
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
