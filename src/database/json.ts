import { type RawBuilder, sql } from 'kysely';

/** A value for a jsonb column; `pg` alone would turn an array into a PostgreSQL array. */
export function json(value: unknown): RawBuilder<unknown> {
  return sql`${JSON.stringify(value)}::jsonb`;
}
