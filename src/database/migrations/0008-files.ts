import { type Kysely, sql } from 'kysely';

const statements = [
  sql`
    ALTER TABLE callreel.recordings
    ADD COLUMN file_order jsonb,
    ADD COLUMN file_state text CHECK (file_state IN ('written', 'failed')),
    ADD COLUMN file_path text,
    ADD COLUMN file_reason text`,
  sql`
    CREATE INDEX recordings_without_file ON callreel.recordings (node, started_at)
    WHERE file_order IS NOT NULL AND file_state IS DISTINCT FROM 'written'`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
