import { type Kysely, sql } from 'kysely';

const statements = [
  sql`ALTER TABLE callreel.recordings ADD COLUMN notices jsonb`,
  sql`
    UPDATE callreel.recordings
    SET consent = jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
      'consentId', recording_id, 'method', consent->'method', 'who', consent->'who', 'at', consent->'at',
      'audioOffsetMs', consent->'audio_offset_ms', 'noticeMs', consent->'notice_ms')))
    WHERE jsonb_typeof(consent) = 'object'`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}
