import { json } from './json.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { Application, Db, Dialect } from './schema.ts';

export interface NewApplication {
  appId: string;
  accountId: string;
  name: string;
  /** Of an application that is there, what it has. */
  dialect?: Dialect | undefined;
  onIncoming: string | null;
  /** Null for none. */
  defaultRoutine: unknown;
  script?: string | null;
  /** Null for none. */
  fallbackUrl?: string | null;
  /** Of an application that is there, what it has. */
  sealedSecret?: string | null;
}

/** Inserts the application, or replaces the one of the same id, whose dialect and secret stay. */
export async function saveApplication(db: Db, application: NewApplication): Promise<Application> {
  const { appId, accountId, name, dialect, onIncoming, defaultRoutine, sealedSecret } = application;
  const { script = null, fallbackUrl = null } = application;
  const routine = defaultRoutine == null ? null : json(defaultRoutine);
  const content = { name, onIncoming, defaultRoutine: routine, script, fallbackUrl };
  return await db
    .insertInto('applications')
    .values({ appId, accountId, dialect, sealedSecret, ...content })
    .onConflict((conflict) => conflict.column('appId').doUpdateSet(content))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function getApplication(
  db: Db,
  accountId: string,
  appId: string,
  dialect?: Dialect,
): Promise<Application | undefined> {
  return await db
    .selectFrom('applications')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('appId', '=', appId)
    .$if(dialect !== undefined, (query) => query.where('dialect', '=', dialect!))
    .executeTakeFirst();
}

/** Where its callbacks go; null for nowhere. */
export async function setApplicationCallbacks(
  db: Db,
  appId: string,
  urls: Pick<Application, 'onIncoming' | 'fallbackUrl'>,
): Promise<void> {
  await db.updateTable('applications').set(urls).where('appId', '=', appId).execute();
}

/** Latest first. */
export async function pageApplications(
  db: Db,
  accountId: string,
  { dialect, ...request }: PageRequest & { dialect?: Dialect | undefined },
): Promise<Page<Application>> {
  const positionOf = ({ createdAt, appId }: Application) => ({ at: createdAt, id: appId });
  return await fetchPage(request, positionOf, ({ comparison, order, beyond, limit }) =>
    db
      .selectFrom('applications')
      .selectAll()
      .where('accountId', '=', accountId)
      .$if(dialect !== undefined, (query) => query.where('dialect', '=', dialect!))
      .$if(beyond !== undefined, (query) =>
        query.where((eb) =>
          eb(eb.refTuple('createdAt', 'appId'), comparison, eb.tuple(beyond!.at, beyond!.id)),
        ),
      )
      .orderBy('createdAt', order)
      .orderBy('appId', order)
      .limit(limit)
      .execute(),
  );
}

/** Its numbers become free. @param dialect one of another dialect is none @returns whether there was one */
export async function deleteApplication(
  db: Db,
  accountId: string,
  appId: string,
  dialect?: Dialect,
): Promise<boolean> {
  const result = await db
    .deleteFrom('applications')
    .where('accountId', '=', accountId)
    .where('appId', '=', appId)
    .$if(dialect !== undefined, (query) => query.where('dialect', '=', dialect!))
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
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
