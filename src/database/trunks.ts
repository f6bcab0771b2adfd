import type { Insertable } from 'kysely';
import { compiledQuery } from './compiled-query.ts';
import { json } from './json.ts';
import type { Db, Trunk, TrunkGateway, TrunkOptions, TrunkRoute, TrunkTable } from './schema.ts';

/** What is not given is as the database has it by default. */
export type NewTrunk = Omit<Insertable<TrunkTable>, 'routes' | 'gateways' | 'options'> & {
  routes: readonly TrunkRoute[];
  gateways?: readonly TrunkGateway[];
  options?: TrunkOptions;
};

/** @returns undefined when the account has a trunk of that name already */
export async function insertTrunk(db: Db, trunk: NewTrunk): Promise<Trunk | undefined> {
  const { routes, gateways = [], options = {} } = trunk;
  return await db
    .insertInto('trunks')
    .values({ ...trunk, routes: json(routes), gateways: json(gateways), options: json(options) })
    .onConflict((conflict) => conflict.columns(['accountId', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst();
}

export async function getTrunk(db: Db, accountId: string, trunkId: string): Promise<Trunk | undefined> {
  return await db
    .selectFrom('trunks')
    .selectAll()
    .where('accountId', '=', accountId)
    .where('trunkId', '=', trunkId)
    .executeTakeFirst();
}

/** By name: operators have a handful. */
export async function listTrunks(db: Db, accountId: string): Promise<Trunk[]> {
  return await selectTrunks(db, { accountId });
}

const selectTrunks = compiledQuery((db, { accountId }: { accountId: string }) =>
  db.selectFrom('trunks').selectAll().where('accountId', '=', accountId).orderBy('name'),
);

/** @returns whether there was one */
export async function deleteTrunk(db: Db, accountId: string, trunkId: string): Promise<boolean> {
  const result = await db
    .deleteFrom('trunks')
    .where('accountId', '=', accountId)
    .where('trunkId', '=', trunkId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
