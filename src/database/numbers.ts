import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { saveApplication } from './applications.ts';
import { compiledQuery } from './compiled-query.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { Application, Db, Dialect, PhoneNumber } from './schema.ts';

export interface ConfiguredNumber {
  number: string;
  dialect?: Dialect | undefined;
  onIncoming?: string | undefined;
  fallbackUrl?: string | undefined;
  defaultRoutine?: unknown;
}

/** Points a number at an application, away from the one it may have had; with null it is ours and free. */
export async function assignNumber(db: Db, { number, accountId, appId }: PhoneNumber): Promise<void> {
  await db
    .insertInto('numbers')
    .values({ number, accountId, appId })
    .onConflict((conflict) => conflict.column('number').doUpdateSet({ accountId, appId }))
    .execute();
}

/** Which application answers a number. */
export async function findApplicationOfNumber(db: Db, number: string): Promise<Application | undefined> {
  return (await findApplicationsOfNumbers(db, [number])).get(number);
}

/** By number; those that nobody answers are left out. */
export async function findApplicationsOfNumbers(
  db: Db,
  numbers: readonly string[],
): Promise<Map<string, Application>> {
  const rows = await selectApplications(db, { numbers });
  return new Map(rows.map(({ number, ...application }) => [number, application]));
}

const selectApplications = compiledQuery((db, { numbers }: { numbers: readonly string[] }) =>
  db
    .selectFrom('numbers')
    .innerJoin('applications', 'applications.appId', 'numbers.appId')
    .selectAll('applications')
    .select('numbers.number')
    .where('numbers.number', '=', sql<string>`any(${numbers})`),
);

export async function getNumber(db: Db, accountId: string, number: string): Promise<PhoneNumber | undefined> {
  return await db
    .selectFrom('numbers')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('number', '=', number)
    .executeTakeFirst();
}

/** By number. */
export async function listNumbers(db: Db, accountId: string): Promise<PhoneNumber[]> {
  return await db
    .selectFrom('numbers')
    .selectAll()
    .where('accountId', '=', accountId)
    .orderBy('number')
    .execute();
}

export interface NumberFilter {
  appId?: string | undefined;
  /** Only numbers that no application has. */
  free?: boolean;
  /** Only numbers that begin so. */
  prefix?: string | undefined;
}

/** By number; the time in its positions means nothing. */
export async function pageNumbers(
  db: Db,
  accountId: string,
  { filter = {}, ...request }: PageRequest & { filter?: NumberFilter },
): Promise<Page<PhoneNumber>> {
  const { appId, free = false, prefix } = filter;
  const positionOf = ({ number }: PhoneNumber) => ({ at: new Date(0), id: number });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('numbers')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(appId !== undefined, (query) => query.where('appId', '=', appId!))
      .$if(free, (query) => query.where('appId', 'is', null))
      .$if(prefix !== undefined, (query) =>
        query.where((eb) => eb.fn('starts_with', ['number', eb.val(prefix)])),
      )
      .$if(beyond !== undefined, (query) => query.where('number', comparison === '<' ? '>' : '<', beyond!.id))
      .orderBy('number', order === 'desc' ? 'asc' : 'desc')
      .limit(limit)
      .execute(),
  );
}

/** The numbers of several applications in one query, each in order. */
export async function numbersByApplication(
  db: Db,
  appIds: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(appIds.map((appId) => [appId, []]));
  if (appIds.length === 0) return found;
  const rows = await db
    .selectFrom('numbers')
    .selectAll()
    .where('appId', 'in', appIds)
    .orderBy('number')
    .execute();
  for (const { appId, number } of rows) found.get(appId ?? '')?.push(number);
  return found;
}

/** @returns whether there was one */
export async function deleteNumber(db: Db, accountId: string, number: string): Promise<boolean> {
  const result = await db
    .deleteFrom('numbers')
    .where('accountId', '=', accountId)
    .where('number', '=', number)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
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

/** A number that another application answered until now. */
export interface TakenNumber {
  number: string;
  formerAppId: string;
}

/** Exactly these are the application's: a number that is no longer named becomes free. In a transaction. */
export async function setNumbersOfApplication(
  trx: Db,
  { appId, accountId }: Pick<Application, 'appId' | 'accountId'>,
  numbers: readonly string[],
): Promise<TakenNumber[]> {
  const taken: TakenNumber[] = [];
  for (const number of await listNumbersOfApplication(trx, appId))
    if (!numbers.includes(number)) await assignNumber(trx, { number, accountId, appId: null });
  for (const number of numbers) {
    const formerAppId = (await getNumber(trx, accountId, number))?.appId;
    if (formerAppId && formerAppId !== appId) taken.push({ number, formerAppId });
    await assignNumber(trx, { number, accountId, appId });
  }
  return taken;
}

/** Takes over what the configuration says about numbers: an application each, whose id follows from the number. */
export async function applyConfiguredNumbers(
  db: Db,
  accountId: string,
  numbers: readonly ConfiguredNumber[],
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const { number, dialect = 'sift', onIncoming, fallbackUrl, defaultRoutine } of numbers) {
      // An application keeps its dialect: a number that changes it gets another one.
      const name = dialect === 'sift' ? `${accountId}\n${number}` : `${accountId}\n${number}\n${dialect}`;
      const appId = createHash('sha256').update(name).digest('hex').slice(0, 16);
      await saveApplication(trx, {
        appId,
        accountId,
        name: number,
        dialect,
        onIncoming: onIncoming ?? null,
        fallbackUrl: fallbackUrl ?? null,
        defaultRoutine: defaultRoutine ?? null,
      });
      await assignNumber(trx, { number, accountId, appId });
    }
  });
}
