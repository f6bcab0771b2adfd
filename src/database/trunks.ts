import { json } from './json.ts';
import type { Db, Trunk } from './schema.ts';

/** @returns undefined when the account has a trunk of that name already */
export async function insertTrunk(db: Db, trunk: Trunk): Promise<Trunk | undefined> {
  return await db
    .insertInto('trunks')
    .values({ ...trunk, routes: json(trunk.routes) })
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
  return await db
    .selectFrom('trunks')
    .selectAll()
    .where('accountId', '=', accountId)
    .orderBy('name')
    .execute();
}

/** @returns whether there was one */
export async function deleteTrunk(db: Db, accountId: string, trunkId: string): Promise<boolean> {
  const result = await db
    .deleteFrom('trunks')
    .where('accountId', '=', accountId)
    .where('trunkId', '=', trunkId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
