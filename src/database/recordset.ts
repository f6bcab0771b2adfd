import { type AliasedRawBuilder, sql } from 'kysely';

/**
 * Rows as one parameter of a query, to be read `from`, under the name `given`: many rows cost hardly more than one.
 * @param types of its columns, as PostgreSQL calls them; a value that is not there is NULL
 */
export function recordset<Row extends object>(
  types: Readonly<Record<keyof Row & string, 'text' | 'bigint' | 'timestamptz' | 'jsonb'>>,
  rows: readonly Row[],
): AliasedRawBuilder<Row, 'given'> {
  const columns = Object.entries(types).map(([name, type]) => ({ name, column: snakeCase(name), type }));
  const values = rows.map((row) =>
    Object.fromEntries(columns.map(({ name, column }) => [column, wellFormed(row[name as keyof Row])])),
  );
  const given = columns.map(({ column, type }) => `"${column}" ${type}`).join(', ');
  return sql<Row>`json_to_recordset(${JSON.stringify(values)}::json)`.as<'given'>(sql.raw(`given(${given})`));
}

/** As Kysely's plugin writes names. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Half a surrogate pair would be refused. */
function wellFormed(value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
