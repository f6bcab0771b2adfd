import { type Kysely, sql } from 'kysely';

const statements = [
  sql`
    CREATE TABLE callreel.applications (
      app_id text PRIMARY KEY,
      account_id text NOT NULL,
      name text NOT NULL,
      on_incoming text,
      default_routine jsonb,
      created_at timestamptz NOT NULL DEFAULT now()
    )`,
  sql`CREATE INDEX applications_account ON callreel.applications (account_id, created_at)`,
  sql`
    CREATE TABLE callreel.numbers (
      number text PRIMARY KEY,
      account_id text NOT NULL,
      app_id text NOT NULL REFERENCES callreel.applications ON DELETE CASCADE
    )`,
  sql`CREATE INDEX numbers_application ON callreel.numbers (app_id)`,
  sql`
    CREATE TABLE callreel.connections (
      connection_id text PRIMARY KEY,
      account_id text NOT NULL,
      "from" text NOT NULL,
      "to" text NOT NULL,
      direction text NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
      status text NOT NULL CHECK (status IN ('connecting', 'connected', 'failed', 'finished')),
      start_time timestamptz NOT NULL,
      end_time timestamptz,
      sip_call_id text
    )`,
  sql`CREATE INDEX connections_account ON callreel.connections (account_id, start_time DESC, connection_id DESC)`,
  sql`CREATE INDEX connections_live ON callreel.connections (status) WHERE status IN ('connecting', 'connected')`,
  sql`
    CREATE TABLE callreel.conversations (
      conversation_id text PRIMARY KEY,
      account_id text NOT NULL,
      conference_name text,
      dialect text NOT NULL,
      status text NOT NULL CHECK (status IN ('active', 'ended')),
      start_time timestamptz NOT NULL,
      end_time timestamptz,
      duration_ms bigint,
      event_callbacks text[] NOT NULL
    )`,
  sql`CREATE INDEX conversations_account ON callreel.conversations (account_id, start_time DESC, conversation_id DESC)`,
  sql`CREATE INDEX conversations_active ON callreel.conversations (account_id, conference_name) WHERE status = 'active'`,
  sql`
    CREATE TABLE callreel.recordings (
      recording_id text PRIMARY KEY,
      conversation_id text NOT NULL,
      account_id text NOT NULL,
      kind text NOT NULL,
      state text NOT NULL CHECK (state IN ('recording', 'ended')),
      reason text,
      rate_hz integer NOT NULL,
      start_sample bigint NOT NULL,
      end_sample bigint,
      started_at timestamptz NOT NULL,
      ended_at timestamptz,
      sealed_key text,
      spool_dir text NOT NULL,
      node text NOT NULL,
      CHECK ((state = 'ended') = (reason IS NOT NULL AND ended_at IS NOT NULL))
    )`,
  sql`CREATE INDEX recordings_conversation ON callreel.recordings (conversation_id)`,
  sql`CREATE INDEX recordings_unfinished ON callreel.recordings (node) WHERE state = 'recording'`,
  sql`
    CREATE TABLE callreel.channels (
      channel_id text NOT NULL,
      recording_id text NOT NULL,
      conversation_id text NOT NULL,
      account_id text NOT NULL,
      connection_id text NOT NULL,
      "from" text NOT NULL,
      "to" text NOT NULL,
      direction text NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
      start_ms bigint NOT NULL,
      end_ms bigint,
      duration_ms bigint,
      packets bigint,
      PRIMARY KEY (recording_id, channel_id)
    )`,
  sql`CREATE INDEX channels_conversation ON callreel.channels (conversation_id, start_ms)`,
  sql`
    CREATE TABLE callreel.events (
      event_id text PRIMARY KEY,
      account_id text NOT NULL,
      conversation_id text NOT NULL,
      sequence bigserial NOT NULL,
      type text NOT NULL,
      payload jsonb NOT NULL,
      callback_url text NOT NULL,
      created_at timestamptz NOT NULL,
      delivered_at timestamptz,
      attempts integer NOT NULL DEFAULT 0,
      queued_at timestamptz NOT NULL,
      last_error text,
      dead_at timestamptz
    )`,
  sql`CREATE INDEX events_conversation ON callreel.events (conversation_id, sequence)`,
  sql`
    CREATE INDEX events_pending ON callreel.events (conversation_id, sequence)
    WHERE delivered_at IS NULL AND dead_at IS NULL`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
