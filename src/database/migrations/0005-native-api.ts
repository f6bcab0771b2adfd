import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.recordings ADD COLUMN client_state jsonb, ADD COLUMN erased_at timestamptz`,
  sql`ALTER TABLE callreel.connections ADD COLUMN client_state jsonb`,
  sql`
    CREATE INDEX recordings_half_erased ON callreel.recordings (spool_dir)
    WHERE erased_at IS NOT NULL AND sealed_key IS NOT NULL`,
  sql`CREATE INDEX channels_from ON callreel.channels (account_id, "from")`,
  sql`CREATE INDEX channels_to ON callreel.channels (account_id, "to")`,
  sql`
    CREATE TABLE callreel.idempotency_keys (
      account_id text NOT NULL,
      key_digest text NOT NULL,
      request_digest text NOT NULL,
      state text NOT NULL CHECK (state IN ('running', 'done')),
      owner text NOT NULL,
      lease_until timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      status integer,
      sealed_answer text,
      PRIMARY KEY (account_id, key_digest),
      CHECK ((state = 'done') = (status IS NOT NULL))
    )`,
  sql`CREATE INDEX idempotency_keys_expiry ON callreel.idempotency_keys (expires_at)`,
  sql`CREATE INDEX idempotency_keys_age ON callreel.idempotency_keys (account_id, expires_at DESC)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
