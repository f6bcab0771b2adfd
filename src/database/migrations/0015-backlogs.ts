import { type Kysely, sql } from 'kysely';

/** What waits and what was given up is few rows among many; `database/backlogs` counts them. */
const statements = [
  sql`
    CREATE INDEX transcripts_open ON callreel.transcripts (node, state, queued_at)
    WHERE state IN ('waiting', 'running', 'failing', 'dead')`,
  sql`
    CREATE INDEX deliveries_open ON callreel.deliveries (node, state, queued_at)
    WHERE state IN ('waiting', 'uploading', 'failing', 'dead')`,
  sql`
    CREATE INDEX events_dead ON callreel.events (created_at)
    WHERE delivered_at IS NULL AND dead_at IS NOT NULL`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
