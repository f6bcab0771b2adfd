import { compiledQuery } from './compiled-query.ts';
import type { Db, DialPermission } from './schema.ts';

/** Sets what the account may do with a prefix, whatever was set before. */
export async function saveDialPermission(db: Db, permission: DialPermission): Promise<void> {
  const { allow } = permission;
  await db
    .insertInto('dialPermissions')
    .values(permission)
    .onConflict((conflict) => conflict.columns(['accountId', 'prefix']).doUpdateSet({ allow }))
    .execute();
}

/** By prefix. */
export async function listDialPermissions(db: Db, accountId: string): Promise<DialPermission[]> {
  return await selectPermissions(db, { accountId });
}

const selectPermissions = compiledQuery((db, { accountId }: { accountId: string }) =>
  db.selectFrom('dialPermissions').selectAll().where('accountId', '=', accountId).orderBy('prefix'),
);

/** @returns whether there was one */
export async function deleteDialPermission(db: Db, accountId: string, prefix: string): Promise<boolean> {
  const result = await db
    .deleteFrom('dialPermissions')
    .where('accountId', '=', accountId)
    .where('prefix', '=', prefix)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
