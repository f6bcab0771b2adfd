import { type AliasedRawBuilder, sql } from 'kysely';

/** Of each column; a value that is not there is NULL. */
export type ColumnTypes<Row extends object> = Readonly<
  Record<keyof Row & string, 'text' | 'bigint' | 'timestamptz' | 'jsonb'>
>;

/**
 * Rows as one parameter of a query, to be read `from`, under the name `given`: many rows cost hardly more than one.
 * @param json as `jsonRows` gives it
 */
export function recordset<Row extends object>(
  types: ColumnTypes<Row>,
  json: string,
): AliasedRawBuilder<Row, 'given'> {
  const given = Object.entries(types).map(([name, type]) => `"${snakeCase(name)}" ${type}`);
  return sql<Row>`json_to_recordset(${json}::json)`.as<'given'>(sql.raw(`given(${given.join(', ')})`));
}

interface Column {
  name: string;
  /** As the database has it. */
  column: string;
}

const columnsByTypes = new WeakMap<object, readonly Column[]>();

function columnsOf(types: object): readonly Column[] {
  let columns = columnsByTypes.get(types);
  if (!columns) {
    columns = Object.keys(types).map((name) => ({ name, column: snakeCase(name) }));
    columnsByTypes.set(types, columns);
  }
  return columns;
}

export function jsonRows<Row extends object>(types: ColumnTypes<Row>, rows: readonly Row[]): string {
  const columns = columnsOf(types);
  const values = rows.map((row) => {
    const value: Record<string, unknown> = {};
    for (const { name, column } of columns) value[column] = wellFormed(row[name as keyof Row]);
    return value;
  });
  return JSON.stringify(values);
}

/** As Kysely's plugin writes names. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Half a surrogate pair would be refused. */
function wellFormed(value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
