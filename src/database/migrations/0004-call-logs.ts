import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.connections ADD COLUMN call_id text, ADD COLUMN media jsonb`,
  sql`UPDATE callreel.connections SET call_id = connection_id`,
  sql`ALTER TABLE callreel.connections ALTER COLUMN call_id SET NOT NULL`,
  sql`CREATE INDEX connections_call ON callreel.connections (call_id)`,
  sql`
    CREATE INDEX connections_calls ON callreel.connections (account_id, start_time DESC, connection_id DESC)
    WHERE call_id = connection_id`,
  sql`ALTER TABLE callreel.channels ADD COLUMN media jsonb`,
  sql`CREATE INDEX channels_connection ON callreel.channels (connection_id)`,
  sql`
    CREATE TABLE callreel.sip_logs (
      connection_id text PRIMARY KEY REFERENCES callreel.connections ON DELETE CASCADE,
      messages jsonb NOT NULL,
      dropped integer NOT NULL
    )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
