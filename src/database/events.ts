import { sql } from 'kysely';
import { compiledQuery } from './compiled-query.ts';
import { json } from './json.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import { jsonRows, recordset } from './recordset.ts';
import type { Db, Event } from './schema.ts';

export interface NewEvent {
  eventId: string;
  accountId: string;
  conversationId: string;
  type: string;
  payload: unknown;
  callbackUrl: string;
  /** Whose receiver it is, where that has signatures of its own. */
  dialect?: string | undefined;
  /** Where it goes when `callbackUrl` does not take it. */
  fallbackUrl?: string | undefined;
  /** Whose secret signs it, in dialects whose applications have one each. */
  signer?: string | undefined;
  createdAt: Date;
}

/** First key of the advisory locks that order the events of one conversation. */
const eventOrderLock = 0x4352;

/**
 * Must run in a transaction. Writers of one conversation wait for each other, so that the order of `sequence` is the
 * order of the commits.
 */
export async function insertEvent(trx: Db, event: NewEvent): Promise<Event> {
  await sql`SELECT pg_advisory_xact_lock(${eventOrderLock}, hashtext(${event.conversationId}))`.execute(trx);
  return await trx
    .insertInto('events')
    .values({ ...event, queuedAt: event.createdAt, payload: json(event.payload) })
    .returningAll()
    .executeTakeFirstOrThrow();
}

const newEventColumns = {
  eventId: 'text',
  accountId: 'text',
  conversationId: 'text',
  type: 'text',
  payload: 'jsonb',
  callbackUrl: 'text',
  dialect: 'text',
  fallbackUrl: 'text',
  signer: 'text',
  createdAt: 'timestamptz',
  queuedAt: 'timestamptz',
} as const;
type NewEventRow = Partial<Record<keyof typeof newEventColumns, unknown>>;
const newEventNames = Object.keys(newEventColumns) as (keyof typeof newEventColumns)[];

/** As `insertEvent`, of many conversations; in their order. */
export async function insertEvents(trx: Db, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const ids = [...new Set(events.map(({ conversationId }) => conversationId))].sort();
  await lockOrder(trx, { ids });
  const rows = events.map((event) => ({ ...event, queuedAt: event.createdAt }));
  await insertRows(trx, { rows: jsonRows<NewEventRow>(newEventColumns, rows) });
}

const lockOrder = compiledQuery((db, { ids }: { ids: readonly string[] }) =>
  db
    .selectFrom(sql<{ id: string }>`unnest(${ids}::text[])`.as<'id'>(sql.raw('id')))
    .select(sql`pg_advisory_xact_lock(${eventOrderLock}, hashtext(id))`.as('locked')),
);

const insertRows = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .insertInto('events')
    .columns(newEventNames)
    .expression((eb) =>
      eb
        .selectFrom(recordset<NewEventRow>(newEventColumns, rows))
        .select(newEventNames.map((name) => `given.${name}` as const)),
    ),
);

/** As `insertEvents`, and what follows, of none (`warm-up.ts`). */
export async function insertNoEvents(trx: Db): Promise<void> {
  await lockOrder(trx, { ids: [] });
  await insertRows(trx, { rows: '[]' });
  await selectPending(trx, { rows: '[]' });
  await updateDelivered(trx, { eventIds: [], deliveredAt: new Date(0) });
}

/** What keeps its order: the events of one conversation to one URL. */
export interface EventStream {
  conversationId: string;
  callbackUrl: string;
}

/** The event of each of these streams that has to be delivered next. */
export async function nextPendingEvents(db: Db, streams: readonly EventStream[]): Promise<Event[]> {
  if (streams.length === 0) return [];
  return await selectPending(db, { rows: jsonRows(streamColumns, streams) });
}

const streamColumns = { conversationId: 'text', callbackUrl: 'text' } as const;
const selectPending = compiledQuery((db, { rows }: { rows: string }) =>
  db
    .selectFrom(recordset<EventStream>(streamColumns, rows))
    .innerJoin('events', (join) =>
      join
        .onRef('events.conversationId', '=', 'given.conversationId')
        .onRef('events.callbackUrl', '=', 'given.callbackUrl'),
    )
    .distinctOn(['events.conversationId', 'events.callbackUrl'])
    .selectAll('events')
    .where('events.deliveredAt', 'is', null)
    .where('events.deadAt', 'is', null)
    .orderBy('events.conversationId')
    .orderBy('events.callbackUrl')
    .orderBy('events.sequence'),
);

export async function setEventsDelivered(
  db: Db,
  eventIds: readonly string[],
  deliveredAt: Date,
): Promise<void> {
  await updateDelivered(db, { eventIds, deliveredAt });
}

const updateDelivered = compiledQuery(
  (db, { eventIds, deliveredAt }: { eventIds: readonly string[]; deliveredAt: Date }) =>
    db
      .updateTable('events')
      .set((eb) => ({ deliveredAt, attempts: eb('attempts', '+', 1), lastError: null }))
      .where('eventId', '=', sql<string>`any(${eventIds})`),
);

/** @param deadAt set when this was the last attempt */
export async function setEventFailed(
  db: Db,
  eventId: string,
  { lastError, deadAt }: { lastError: string; deadAt: Date | null },
): Promise<void> {
  await db
    .updateTable('events')
    .set((eb) => ({ lastError, deadAt, attempts: eb('attempts', '+', 1) }))
    .where('eventId', '=', eventId)
    .execute();
}

/**
 * Makes a delivered or dead event pending again, under the same id and at its old place in the order.
 * @returns undefined when it is pending or unknown
 */
export async function reviveEvent(db: Db, eventId: string, queuedAt: Date): Promise<Event | undefined> {
  return await db
    .updateTable('events')
    .set({ deliveredAt: null, deadAt: null, attempts: 0, queuedAt })
    .where('eventId', '=', eventId)
    .where((eb) => eb.or([eb('deliveredAt', 'is not', null), eb('deadAt', 'is not', null)]))
    .returningAll()
    .executeTakeFirst();
}

export async function getEvent(db: Db, eventId: string): Promise<Event | undefined> {
  return await db.selectFrom('events').selectAll().where('eventId', '=', eventId).executeTakeFirst();
}

/** In the order of delivery. */
export async function listEventsOfConversation(db: Db, conversationId: string): Promise<Event[]> {
  return await db
    .selectFrom('events')
    .selectAll()
    .where('conversationId', '=', conversationId)
    .orderBy('sequence')
    .execute();
}

export type EventState = 'pending' | 'delivered' | 'dead';

export function eventState({ deliveredAt, deadAt }: Event): EventState {
  if (deliveredAt) return 'delivered';
  return deadAt ? 'dead' : 'pending';
}

export interface EventFilter {
  conversationId?: string | undefined;
  state?: EventState | undefined;
}

/** Latest first. */
export async function pageEvents(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: EventFilter },
): Promise<Page<Event>> {
  const { conversationId, state } = filter;
  const positionOf = (row: Event) => ({ at: row.createdAt, id: row.eventId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('events')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(conversationId !== undefined, (query) => query.where('conversationId', '=', conversationId!))
      .$if(state === 'delivered', (query) => query.where('deliveredAt', 'is not', null))
      .$if(state === 'dead', (query) =>
        query.where('deliveredAt', 'is', null).where('deadAt', 'is not', null),
      )
      .$if(state === 'pending', (query) => query.where('deliveredAt', 'is', null).where('deadAt', 'is', null))
      .$if(beyond !== undefined, (query) =>
        query.where((eb) =>
          eb(eb.refTuple('createdAt', 'eventId'), comparison, eb.tuple(beyond!.at, beyond!.id)),
        ),
      )
      .orderBy('createdAt', order)
      .orderBy('eventId', order)
      .limit(limit)
      .execute(),
  );
}
