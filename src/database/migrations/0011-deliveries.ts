import { type Kysely, sql } from 'kysely';

const statements = [
  sql`
    CREATE TABLE callreel.deliveries (
      delivery_id text PRIMARY KEY,
      recording_id text NOT NULL UNIQUE,
      conversation_id text NOT NULL,
      account_id text NOT NULL,
      node text NOT NULL,
      url text NOT NULL,
      application_key text NOT NULL,
      name_id text NOT NULL,
      key text NOT NULL,
      destination text NOT NULL,
      place text NOT NULL,
      name_group text,
      ordinal integer,
      sealed_credentials text,
      format text NOT NULL,
      stereo boolean NOT NULL,
      state text NOT NULL
        CHECK (state IN ('waiting', 'uploading', 'failing', 'delivered', 'dead', 'abandoned')),
      created_at timestamptz NOT NULL,
      queued_at timestamptz,
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      upload jsonb,
      error_code text,
      error_message text,
      bytes bigint,
      delivered_at timestamptz,
      UNIQUE (name_group, ordinal)
    )`,
  sql`CREATE INDEX deliveries_due ON callreel.deliveries (node, next_attempt_at) WHERE next_attempt_at IS NOT NULL`,
  sql`CREATE INDEX deliveries_listed ON callreel.deliveries (account_id, created_at, delivery_id)`,
  sql`CREATE INDEX deliveries_of_object ON callreel.deliveries (destination)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
