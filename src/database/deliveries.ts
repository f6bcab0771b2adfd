import { sql } from 'kysely';
import { compiledQuery } from './compiled-query.ts';
import { json } from './json.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { Db, Delivery, DeliveryState } from './schema.ts';

export type NewDelivery = Pick<
  Delivery,
  | 'deliveryId'
  | 'recordingId'
  | 'conversationId'
  | 'accountId'
  | 'node'
  | 'url'
  | 'applicationKey'
  | 'nameId'
  | 'nameGroup'
  | 'sealedCredentials'
  | 'format'
  | 'stereo'
  | 'createdAt'
>;

/** Where it is written to. */
export interface DeliveryTarget {
  key: string;
  destination: string;
  place: string;
}

/** First key of the advisory locks under which the ordinals of generated names are given out. */
const nameLock = 0x4353;

/**
 * Must run in a transaction, with the recording's own row. A recording has one delivery: one that is known already
 * stays as it is.
 * @param targetOf gives the name for an ordinal, 1 for the first of its `nameGroup`; of a URL that cannot be read its
 *   error
 */
export async function insertDelivery(
  trx: Db,
  delivery: NewDelivery,
  targetOf: (ordinal: number) => DeliveryTarget | { error: { code: string; message: string } },
): Promise<void> {
  const ordinal = delivery.nameGroup === null ? null : await nextOrdinal(trx, delivery.nameGroup);
  const target = targetOf(ordinal ?? 1);
  await trx
    .insertInto('deliveries')
    .values({
      ...delivery,
      ordinal,
      ...('error' in target
        ? {
            ...{ key: '', destination: delivery.url, place: '', state: 'dead', sealedCredentials: null },
            ...{ errorCode: target.error.code, errorMessage: target.error.message },
          }
        : { ...target, state: 'waiting' }),
      attempts: 0,
    })
    .onConflict((conflict) => conflict.column('recordingId').doNothing())
    .execute();
}

/** Whoever writes a name of this group waits for whoever writes another, so two of one second get two names. */
export async function nextOrdinal(trx: Db, nameGroup: string): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock(${nameLock}, hashtext(${nameGroup}))`.execute(trx);
  const { last } = await trx
    .selectFrom('deliveries')
    .select((eb) => eb.fn.max('ordinal').as('last'))
    .where('nameGroup', '=', nameGroup)
    .executeTakeFirstOrThrow();
  return (last ?? 0) + 1;
}

export async function getDelivery(db: Db, deliveryId: string): Promise<Delivery | undefined> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('deliveryId', '=', deliveryId)
    .executeTakeFirst();
}

export async function deliveryOfRecording(db: Db, recordingId: string): Promise<Delivery | undefined> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .executeTakeFirst();
}

/** Must run in a transaction: nobody else changes the row before its end. */
export async function lockDelivery(trx: Db, deliveryId: string): Promise<Delivery | undefined> {
  return await trx
    .selectFrom('deliveries')
    .selectAll()
    .where('deliveryId', '=', deliveryId)
    .forUpdate()
    .executeTakeFirst();
}

export interface DeliveryChange
  extends Partial<
    Pick<
      Delivery,
      | 'state'
      | 'url'
      | 'key'
      | 'destination'
      | 'place'
      | 'nameGroup'
      | 'ordinal'
      | 'sealedCredentials'
      | 'queuedAt'
      | 'attempts'
      | 'nextAttemptAt'
      | 'errorCode'
      | 'errorMessage'
      | 'bytes'
      | 'deliveredAt'
    >
  > {
  /** Null: nothing is under way any more. */
  upload?: object | null;
}

/** @returns the row as it is now */
export async function changeDelivery(
  db: Db,
  deliveryId: string,
  { upload, ...change }: DeliveryChange,
): Promise<Delivery | undefined> {
  return await db
    .updateTable('deliveries')
    .set({ ...change, ...(upload !== undefined && { upload: upload === null ? null : json(upload) }) })
    .where('deliveryId', '=', deliveryId)
    .returningAll()
    .executeTakeFirst();
}

/** Those of this node for which there is something to do, the longest due first. */
export async function listDueDeliveries(
  db: Db,
  node: string,
  {
    now,
    limit,
    except,
    exceptPlaces,
  }: { now: Date; limit: number; except: readonly string[]; exceptPlaces: readonly string[] },
): Promise<Delivery[]> {
  if (except.length === 0 && exceptPlaces.length === 0) return await listAllDue(db, { node, now, limit });
  return await due(db, { node, now, limit })
    .$if(except.length > 0, (query) => query.where('deliveryId', 'not in', except))
    .$if(exceptPlaces.length > 0, (query) => query.where('place', 'not in', exceptPlaces))
    .execute();
}

interface DueDeliveries {
  [value: string]: unknown;
  node: string;
  now: Date;
  limit: number;
}

function due(db: Db, { node, now, limit }: DueDeliveries) {
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('node', '=', node)
    .where('nextAttemptAt', '<=', now)
    .orderBy('nextAttemptAt')
    .limit(limit);
}

/** Asked for each second, mostly in vain. */
const listAllDue = compiledQuery((db, values: DueDeliveries) => due(db, values));

/** What a process that ended was uploading, is due. @returns them */
export async function reviveInterruptedDeliveries(db: Db, node: string, now: Date): Promise<Delivery[]> {
  return await db
    .updateTable('deliveries')
    .set({ nextAttemptAt: now })
    .where('node', '=', node)
    .where('state', '=', 'uploading')
    .returningAll()
    .execute();
}

/** Whose object is this now? The one that was written there last. */
export async function lastDeliveredTo(db: Db, destination: string): Promise<Delivery | undefined> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('destination', '=', destination)
    .where('deliveredAt', 'is not', null)
    .orderBy('deliveredAt', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export interface DeliveryFilter {
  recordingId?: string | undefined;
  conversationId?: string | undefined;
  states?: readonly DeliveryState[] | undefined;
}

/** Latest first. */
export async function pageDeliveries(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: DeliveryFilter },
): Promise<Page<Delivery>> {
  const { recordingId, conversationId, states } = filter;
  const positionOf = (row: Delivery) => ({ at: row.createdAt, id: row.deliveryId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('deliveries')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(recordingId !== undefined, (query) => query.where('recordingId', '=', recordingId!))
      .$if(conversationId !== undefined, (query) => query.where('conversationId', '=', conversationId!))
      .$if(states !== undefined, (query) => query.where('state', 'in', states!))
      .$if(beyond !== undefined, (query) =>
        query.where((eb) =>
          eb(eb.refTuple('createdAt', 'deliveryId'), comparison, eb.tuple(beyond!.at, beyond!.id)),
        ),
      )
      .orderBy('createdAt', order)
      .orderBy('deliveryId', order)
      .limit(limit)
      .execute(),
  );
}
