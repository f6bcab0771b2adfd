import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.applications DROP CONSTRAINT applications_dialect_check`,
  sql`
    ALTER TABLE callreel.applications
    ADD CONSTRAINT applications_dialect_check CHECK (dialect IN ('sift', 'signalwire', 'sinch')),
    ADD COLUMN fallback_url text,
    ADD COLUMN sealed_secret text`,
  sql`ALTER TABLE callreel.events ADD COLUMN fallback_url text, ADD COLUMN signer text`,
  sql`ALTER TABLE callreel.deliveries ADD COLUMN removed_at timestamptz`,
  sql`
    CREATE TABLE callreel.sinch_calls (
      call_id text PRIMARY KEY,
      account_id text NOT NULL,
      application_key text NOT NULL,
      "from" jsonb NOT NULL,
      "to" jsonb NOT NULL,
      domain text NOT NULL,
      custom text NOT NULL,
      started_at timestamptz NOT NULL,
      answered_at timestamptz,
      ended_at timestamptz,
      result text,
      reason text
    )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
