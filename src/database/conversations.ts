import type { Insertable } from 'kysely';
import type { Conversation, ConversationTable, Db } from './schema.ts';

export type NewConversation = Omit<Insertable<ConversationTable>, 'status' | 'endTime' | 'durationMs'>;

/** A new conversation is `active`; one that is known already stays as it is. */
export async function insertConversation(db: Db, conversation: NewConversation): Promise<void> {
  await db
    .insertInto('conversations')
    .values({ ...conversation, status: 'active' })
    .onConflict((conflict) => conflict.column('conversationId').doNothing())
    .execute();
}

/**
 * Ends the conversation once: whoever gets the row sends the terminal event, in the same transaction.
 * @returns the row, or undefined when it had ended before
 */
export async function endConversation(
  db: Db,
  conversationId: string,
  { endTime, durationMs }: { endTime: Date; durationMs: number },
): Promise<Conversation | undefined> {
  return await db
    .updateTable('conversations')
    .set({ status: 'ended', endTime, durationMs })
    .where('conversationId', '=', conversationId)
    .where('status', '=', 'active')
    .returningAll()
    .executeTakeFirst();
}

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

/** Latest first. `before` is the last row of the page before. */
export async function listConversations(
  db: Db,
  accountId: string,
  {
    limit,
    before,
  }: { limit: number; before?: Pick<Conversation, 'startTime' | 'conversationId'> | undefined },
): Promise<Conversation[]> {
  return await db
    .selectFrom('conversations')
    .selectAll()
    .where('accountId', '=', accountId)
    .$if(before !== undefined, (query) =>
      query.where((eb) =>
        eb(
          eb.refTuple('startTime', 'conversationId'),
          '<',
          eb.tuple(before!.startTime, before!.conversationId),
        ),
      ),
    )
    .orderBy('startTime', 'desc')
    .orderBy('conversationId', 'desc')
    .limit(limit)
    .execute();
}
