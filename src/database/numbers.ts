import { createHash } from 'node:crypto';
import { saveApplication } from './applications.ts';
import type { Application, Db } from './schema.ts';

export interface ConfiguredNumber {
  number: string;
  onIncoming?: string | undefined;
  defaultRoutine?: unknown;
}

/** Points a number at an application, away from the one it may have had. */
export async function assignNumber(
  db: Db,
  { number, accountId, appId }: { number: string; accountId: string; appId: string },
): Promise<void> {
  await db
    .insertInto('numbers')
    .values({ number, accountId, appId })
    .onConflict((conflict) => conflict.column('number').doUpdateSet({ accountId, appId }))
    .execute();
}

/** Which application answers a number. */
export async function findApplicationOfNumber(db: Db, number: string): Promise<Application | undefined> {
  return await db
    .selectFrom('numbers')
    .innerJoin('applications', 'applications.appId', 'numbers.appId')
    .selectAll('applications')
    .where('numbers.number', '=', number)
    .executeTakeFirst();
}

export async function listNumbersOfApplication(db: Db, appId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('numbers')
    .select('number')
    .where('appId', '=', appId)
    .orderBy('number')
    .execute();
  return rows.map((row) => row.number);
}

/** Takes over what the configuration says about numbers: an application each, whose id follows from the number. */
export async function applyConfiguredNumbers(
  db: Db,
  accountId: string,
  numbers: readonly ConfiguredNumber[],
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const { number, onIncoming, defaultRoutine } of numbers) {
      const appId = createHash('sha256').update(`${accountId}\n${number}`).digest('hex').slice(0, 16);
      await saveApplication(trx, {
        appId,
        accountId,
        name: number,
        onIncoming: onIncoming ?? null,
        defaultRoutine: defaultRoutine ?? null,
      });
      await assignNumber(trx, { number, accountId, appId });
    }
  });
}
