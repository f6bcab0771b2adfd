import { type Kysely, sql } from 'kysely';

const statements = [
  // No language's stemming: what is looked for is found as it was said. A tsvector has at most 1 MB.
  sql`
    CREATE TABLE callreel.transcripts (
      recording_id text PRIMARY KEY,
      conversation_id text NOT NULL,
      account_id text NOT NULL,
      node text NOT NULL,
      locale text NOT NULL,
      state text NOT NULL CHECK (state IN ('waiting', 'running', 'failing', 'done', 'dead', 'abandoned')),
      created_at timestamptz NOT NULL,
      queued_at timestamptz,
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      error_code text,
      error_message text,
      transcript jsonb,
      text text,
      words tsvector GENERATED ALWAYS AS (to_tsvector('simple', left(coalesce(text, ''), 400000))) STORED,
      key text,
      destination text,
      bytes bigint,
      delivered_at timestamptz
    )`,
  sql`CREATE INDEX transcripts_due ON callreel.transcripts (node, next_attempt_at) WHERE next_attempt_at IS NOT NULL`,
  sql`CREATE INDEX transcripts_words ON callreel.transcripts USING gin (words)`,
  sql`CREATE INDEX transcripts_listed ON callreel.transcripts (account_id, created_at, recording_id)`,
  sql`CREATE INDEX transcripts_of_object ON callreel.transcripts (destination) WHERE destination IS NOT NULL`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
