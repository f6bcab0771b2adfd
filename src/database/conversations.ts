import type { Insertable } from 'kysely';
import { compiledQuery } from './compiled-query.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { Conversation, ConversationTable, Db } from './schema.ts';

export type NewConversation = Omit<Insertable<ConversationTable>, 'status' | 'endTime' | 'durationMs'>;

/** A new conversation is `active`; one that is known already stays as it is. */
export async function insertConversation(db: Db, conversation: NewConversation): Promise<void> {
  const { conversationId, accountId, conferenceName = null } = conversation;
  const { dialect, startTime, eventCallbacks } = conversation;
  await insertRow(db, { conversationId, accountId, conferenceName, dialect, startTime, eventCallbacks });
}

const insertRow = compiledQuery((db, row: Required<NewConversation>) =>
  db
    .insertInto('conversations')
    .values({ ...row, status: 'active' })
    .onConflict((conflict) => conflict.column('conversationId').doNothing()),
);

export async function setEventCallbacks(
  db: Db,
  conversationId: string,
  eventCallbacks: string[],
): Promise<void> {
  await db
    .updateTable('conversations')
    .set({ eventCallbacks })
    .where('conversationId', '=', conversationId)
    .execute();
}

export async function getConversation(
  db: Db,
  accountId: string,
  conversationId: string,
): Promise<Conversation | undefined> {
  return await db
    .selectFrom('conversations')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('conversationId', '=', conversationId)
    .executeTakeFirst();
}

/** Of every account, oldest first: what a restart has to finish. */
export async function listActiveConversations(db: Db): Promise<Conversation[]> {
  return await db
    .selectFrom('conversations')
    .selectAll()
    .where('status', '=', 'active')
    .orderBy('startTime')
    .execute();
}

export interface ConversationFilter {
  status?: Conversation['status'] | undefined;
  conferenceName?: string | undefined;
  /** By `startTime`, both ends included. */
  minCreated?: Date | undefined;
  maxCreated?: Date | undefined;
}

/** Latest first. */
export async function pageConversations(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: ConversationFilter },
): Promise<Page<Conversation>> {
  const { status, conferenceName, minCreated, maxCreated } = filter;
  const positionOf = (row: Conversation) => ({ at: row.startTime, id: row.conversationId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('conversations')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(status !== undefined, (query) => query.where('status', '=', status!))
      .$if(conferenceName !== undefined, (query) => query.where('conferenceName', '=', conferenceName!))
      .$if(minCreated !== undefined, (query) => query.where('startTime', '>=', minCreated!))
      .$if(maxCreated !== undefined, (query) => query.where('startTime', '<=', maxCreated!))
      .$if(beyond !== undefined, (query) =>
        query.where((eb) =>
          eb(eb.refTuple('startTime', 'conversationId'), comparison, eb.tuple(beyond!.at, beyond!.id)),
        ),
      )
      .orderBy('startTime', order)
      .orderBy('conversationId', order)
      .limit(limit)
      .execute(),
  );
}
