import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.recordings DROP CONSTRAINT recordings_state_check`,
  sql`
    ALTER TABLE callreel.recordings
    ADD CONSTRAINT recordings_state_check CHECK (state IN ('waiting', 'recording', 'paused', 'ended'))`,
  sql`
    ALTER TABLE callreel.recordings
    ADD COLUMN connection_id text,
    ADD COLUMN control_id text,
    ADD COLUMN wishes jsonb,
    ADD COLUMN consent jsonb,
    ADD COLUMN recorded_samples bigint,
    ADD COLUMN digit text`,
  sql`DROP INDEX callreel.recordings_unfinished`,
  sql`CREATE INDEX recordings_unfinished ON callreel.recordings (node) WHERE state <> 'ended'`,
  sql`
    CREATE INDEX recordings_of_call ON callreel.recordings (connection_id, started_at)
    WHERE connection_id IS NOT NULL`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
