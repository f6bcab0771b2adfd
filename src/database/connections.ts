import type { Insertable } from 'kysely';
import type { Connection, ConnectionTable, Db } from './schema.ts';

export type NewConnection = Omit<Insertable<ConnectionTable>, 'status' | 'endTime'>;

/** A new connection is `connecting`. */
export async function insertConnection(db: Db, connection: NewConnection): Promise<Connection> {
  return await db
    .insertInto('connections')
    .values({ ...connection, status: 'connecting' })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** @returns whether it was still connecting */
export async function setConnected(db: Db, connectionId: string): Promise<boolean> {
  const result = await db
    .updateTable('connections')
    .set({ status: 'connected' })
    .where('connectionId', '=', connectionId)
    .where('status', '=', 'connecting')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/**
 * A connection that was connected is `finished`, one that never was is `failed`.
 * @returns the row, or undefined when it had ended before
 */
export async function endConnection(
  db: Db,
  connectionId: string,
  endTime: Date,
): Promise<Connection | undefined> {
  return await db
    .updateTable('connections')
    .set((eb) => ({
      endTime,
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
  for (const { connectionId } of lost) await endConnection(db, connectionId, endTime);
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

/** Latest first. `before` is the last row of the page before. */
export async function listConnections(
  db: Db,
  accountId: string,
  { limit, before }: { limit: number; before?: Pick<Connection, 'startTime' | 'connectionId'> | undefined },
): Promise<Connection[]> {
  return await db
    .selectFrom('connections')
    .selectAll()
    .where('accountId', '=', accountId)
    .$if(before !== undefined, (query) =>
      query.where((eb) =>
        eb(eb.refTuple('startTime', 'connectionId'), '<', eb.tuple(before!.startTime, before!.connectionId)),
      ),
    )
    .orderBy('startTime', 'desc')
    .orderBy('connectionId', 'desc')
    .limit(limit)
    .execute();
}
