import { type Kysely, sql } from 'kysely';

const statements = [
  sql`
    CREATE TABLE callreel.trunks (
      trunk_id text PRIMARY KEY,
      account_id text NOT NULL,
      name text NOT NULL,
      host text NOT NULL,
      port integer CHECK (port BETWEEN 1 AND 65535),
      transport text NOT NULL CHECK (transport IN ('udp', 'tcp')),
      username text,
      sealed_password text,
      from_number text,
      routes jsonb NOT NULL,
      source_networks text[] NOT NULL,
      created_at timestamptz NOT NULL,
      UNIQUE (account_id, name)
    )`,
  sql`
    CREATE TABLE callreel.dial_permissions (
      account_id text NOT NULL,
      prefix text NOT NULL,
      allow boolean NOT NULL,
      PRIMARY KEY (account_id, prefix)
    )`,
  // A number outlives its application: it is free for another one then.
  sql`ALTER TABLE callreel.numbers ALTER COLUMN app_id DROP NOT NULL`,
  sql`ALTER TABLE callreel.numbers DROP CONSTRAINT numbers_app_id_fkey`,
  sql`
    ALTER TABLE callreel.numbers
    ADD FOREIGN KEY (app_id) REFERENCES callreel.applications ON DELETE SET NULL`,
  sql`CREATE INDEX numbers_account ON callreel.numbers (account_id, number)`,
  sql`ALTER TABLE callreel.applications ADD COLUMN script text`,
  // Pages are cut at moments that JavaScript can hold: milliseconds.
  sql`UPDATE callreel.applications SET created_at = date_trunc('milliseconds', created_at)`,
  sql`
    ALTER TABLE callreel.applications
    ALTER COLUMN created_at SET DEFAULT date_trunc('milliseconds', now())`,
  sql`CREATE INDEX recordings_account ON callreel.recordings (account_id, started_at DESC, recording_id DESC)`,
  sql`CREATE INDEX events_account ON callreel.events (account_id, created_at DESC, event_id DESC)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
