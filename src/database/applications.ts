import { json } from './json.ts';
import type { Application, Db } from './schema.ts';

export interface NewApplication {
  appId: string;
  accountId: string;
  name: string;
  onIncoming: string | null;
  /** Null for none. */
  defaultRoutine: unknown;
}

/** Inserts the application, or replaces the one of the same id. */
export async function saveApplication(db: Db, application: NewApplication): Promise<Application> {
  const { appId, accountId, name, onIncoming, defaultRoutine } = application;
  const content = { name, onIncoming, defaultRoutine: defaultRoutine == null ? null : json(defaultRoutine) };
  return await db
    .insertInto('applications')
    .values({ appId, accountId, ...content })
    .onConflict((conflict) => conflict.column('appId').doUpdateSet(content))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function getApplication(
  db: Db,
  accountId: string,
  appId: string,
): Promise<Application | undefined> {
  return await db
    .selectFrom('applications')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('appId', '=', appId)
    .executeTakeFirst();
}

/** Oldest first. */
export async function listApplications(db: Db, accountId: string): Promise<Application[]> {
  return await db
    .selectFrom('applications')
    .selectAll()
    .where('accountId', '=', accountId)
    .orderBy('createdAt')
    .orderBy('appId')
    .execute();
}
