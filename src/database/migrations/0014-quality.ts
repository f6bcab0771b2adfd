import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.recordings ADD COLUMN quality jsonb`,
  sql`ALTER TABLE callreel.channels ADD COLUMN quality jsonb`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
