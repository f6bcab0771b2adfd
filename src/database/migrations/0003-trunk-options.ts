import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.trunks DROP CONSTRAINT trunks_transport_check`,
  sql`ALTER TABLE callreel.trunks ADD CHECK (transport IN ('udp', 'tcp', 'tls'))`,
  sql`
    ALTER TABLE callreel.trunks
    ADD COLUMN gateways jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN outbound_proxy text,
    ADD COLUMN registers boolean NOT NULL DEFAULT false,
    ADD COLUMN registrar text,
    ADD COLUMN contact_user text,
    ADD COLUMN priority integer NOT NULL DEFAULT 0,
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}'`,
  sql`
    ALTER TABLE callreel.connections
    ADD COLUMN sip_identity jsonb,
    ADD COLUMN trunk_id text,
    ADD COLUMN end_reason text`,
  sql`
    ALTER TABLE callreel.channels
    ADD COLUMN no_media boolean GENERATED ALWAYS AS (packets = 0) STORED`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
