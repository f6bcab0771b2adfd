import { json } from './json.ts';
import type { Db, SinchCall } from './schema.ts';

export type NewSinchCall = Omit<SinchCall, 'answeredAt' | 'endedAt' | 'result' | 'reason'>;

/** One that is there stays as it is. */
export async function insertSinchCall(db: Db, call: NewSinchCall): Promise<void> {
  await db
    .insertInto('sinchCalls')
    .values({
      ...call,
      from: json(call.from),
      to: json(call.to),
      ...{ answeredAt: null, endedAt: null, result: null, reason: null },
    })
    .onConflict((conflict) => conflict.column('callId').doNothing())
    .execute();
}

/** Its first answer counts. */
export async function setSinchCallAnswered(db: Db, callId: string, answeredAt: Date): Promise<void> {
  await db
    .updateTable('sinchCalls')
    .set({ answeredAt })
    .where('callId', '=', callId)
    .where('answeredAt', 'is', null)
    .execute();
}

/** Its first end counts. */
export async function endSinchCall(
  db: Db,
  callId: string,
  end: { endedAt: Date; result: string; reason: string },
): Promise<void> {
  await db
    .updateTable('sinchCalls')
    .set(end)
    .where('callId', '=', callId)
    .where('endedAt', 'is', null)
    .execute();
}

export async function getSinchCall(
  db: Db,
  accountId: string,
  callId: string,
): Promise<SinchCall | undefined> {
  return await db
    .selectFrom('sinchCalls')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('callId', '=', callId)
    .executeTakeFirst();
}
