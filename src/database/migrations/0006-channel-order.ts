import { type Kysely, sql } from 'kysely';

const statements = [
  // Null in rows of before: who joined first within one millisecond is known from the manifests alone.
  sql`ALTER TABLE callreel.channels ADD COLUMN join_order integer`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
