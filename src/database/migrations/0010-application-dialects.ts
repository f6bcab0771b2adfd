import { type Kysely, sql } from 'kysely';

const statements = [
  sql`
    ALTER TABLE callreel.applications
    ADD COLUMN dialect text NOT NULL DEFAULT 'sift' CHECK (dialect IN ('sift', 'signalwire'))`,
  sql`ALTER TABLE callreel.events ADD COLUMN dialect text`,
  sql`ALTER TABLE callreel.recordings ADD COLUMN file_samples bigint`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
