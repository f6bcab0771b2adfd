import type { Compilable, CompiledQuery } from 'kysely';
import type { Db } from './schema.ts';

const marked = (name: string): string => `\0${name}`;

/**
 * A query that is put together and written as SQL once: that takes this thread longer than PostgreSQL needs for it.
 * What differs from run to run are its values, one parameter each.
 *
 * @param build is given what stands for the values
 * @returns runs it with values, and gives its rows
 */
export function compiledQuery<Values extends Record<string, unknown>, Row>(
  build: (db: Db, values: Values) => Compilable<Row>,
): (db: Db, values: Values) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | undefined;
  let names: (string | undefined)[] = [];
  return async (db, values) => {
    if (!compiled) {
      const all = Object.keys(values);
      compiled = build(db, Object.fromEntries(all.map((name) => [name, marked(name)])) as Values).compile();
      names = compiled.parameters.map((parameter) => all.find((name) => marked(name) === parameter));
    }
    const parameters = compiled.parameters.map((parameter, index) => {
      const name = names[index];
      return name === undefined ? parameter : values[name];
    });
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters });
    return rows;
  };
}
