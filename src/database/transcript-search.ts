import { sql } from 'kysely';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { Db } from './schema.ts';
import type { TranscriptRow, TranscriptState } from './transcript-table.ts';

/** A transcript in a list; where words were looked for, with the utterances in which they were said. */
export interface ListedTranscript
  extends Pick<
    TranscriptRow,
    'recordingId' | 'conversationId' | 'createdAt' | 'state' | 'locale' | 'errorCode' | 'errorMessage'
  > {
  hits: { fromSample: number; toSample: number; rateHz: number; speakerLabel: string; text: string }[];
}

export interface TranscriptFilter {
  /** As a search engine takes them: words, "a phrase", -without. */
  words?: string | undefined;
  state?: TranscriptState | undefined;
}

const maxHits = 100;

/** Words one behind the other, as PostgreSQL writes a tsquery. */
const phrasePattern = "('(?:[^']|'')+'(?: <(?:-|[0-9]+)> '(?:[^']|'')+')+)";

/** Latest first, by the beginnings of the recordings. */
export async function pageTranscripts(
  db: Db,
  accountId: string,
  { filter: { words, state } = {}, ...request }: PageRequest & { filter?: TranscriptFilter },
): Promise<Page<ListedTranscript>> {
  const positionOf = (row: ListedTranscript) => ({ at: row.createdAt, id: row.recordingId });
  return await fetchPage(request, positionOf, async ({ comparison, order, beyond, limit }) => {
    const conditions = [
      sql`t.account_id = ${accountId}`,
      ...(words === undefined ? [] : [sql`t.words @@ wanted.query`]),
      ...(state === undefined ? [] : [sql`t.state = ${state}`]),
      ...(beyond
        ? [sql`(t.created_at, t.recording_id) ${sql.raw(comparison)} (${beyond.at}, ${beyond.id})`]
        : []),
    ];
    // `querytree` leaves out what must not be there; where nothing is left it gives 'T', or nothing.
    const { rows } = await sql<ListedTranscript>`
      WITH wanted AS (
        SELECT query, any_of, ARRAY(
          SELECT (regexp_matches(any_of::text, ${phrasePattern}, 'g'))[1]::tsquery
        ) AS phrases
        FROM websearch_to_tsquery('simple', ${words ?? ''}) AS query, LATERAL (
          SELECT replace(nullif(nullif(querytree(query), 'T'), ''), ' & ', ' | ')::tsquery AS any_of
        ) AS wanted
      ), found AS (
        SELECT t.*, wanted.any_of, wanted.phrases FROM callreel.transcripts AS t, wanted
        WHERE ${sql.join(conditions, sql` AND `)}
        ORDER BY t.created_at ${sql.raw(order)}, t.recording_id ${sql.raw(order)}
        LIMIT ${limit}
      )
      SELECT
        recording_id AS "recordingId", conversation_id AS "conversationId", created_at AS "createdAt",
        state, locale, error_code AS "errorCode", error_message AS "errorMessage",
        ${words === undefined ? sql`'[]'::jsonb` : hitsOfFound} AS hits
      FROM found
      ORDER BY created_at ${sql.raw(order)}, recording_id ${sql.raw(order)}`.execute(db);
    return rows;
  });
}

/** Of a phrase that one utterance begins and others end, the rest is looked for in so many. */
const utterancesBehind = 20;

/**
 * An utterance is a hit when it has any of what is looked for, or begins a phrase that those behind it end: of a phrase
 * of n words the last n-1 of its own and the first n-1 behind are looked at together.
 */
const hitsOfFound = sql`(
  SELECT coalesce(jsonb_agg(hit ORDER BY place), '[]'::jsonb)
  FROM (
    SELECT place, jsonb_build_object(
      'fromSample', said->'fromSample', 'toSample', said->'toSample', 'text', said->'text',
      'rateHz', transcript->'rateHz',
      'speakerLabel', transcript->'channels'->((said->>'channel')::int)->'speakerLabel'
    ) AS hit
    FROM (
      SELECT said, place, regexp_split_to_array(trim(said->>'text'), '\\s+') AS own, CASE WHEN phrases <> '{}' THEN
        regexp_split_to_array(trim(string_agg(said->>'text', ' ') OVER behind), '\\s+') END AS others
      FROM jsonb_array_elements(transcript->'utterances') WITH ORDINALITY AS each (said, place)
      WINDOW behind AS (ORDER BY place ROWS BETWEEN 1 FOLLOWING AND ${sql.raw(String(utterancesBehind))} FOLLOWING)
    ) AS utterances
    WHERE to_tsvector('simple', said->>'text') @@ any_of OR EXISTS (
      SELECT FROM unnest(phrases) AS phrase, LATERAL (SELECT (numnode(phrase) - 1) / 2 AS rest) AS length, LATERAL (
        SELECT array_to_string(own[greatest(1, cardinality(own) - rest + 1):], ' ') AS before,
          array_to_string(others[:rest], ' ') AS after
      ) AS around
      WHERE to_tsvector('simple', before || ' ' || after) @@ phrase AND NOT to_tsvector('simple', after) @@ phrase
    )
    ORDER BY place
    LIMIT ${maxHits}
  ) AS hits
)`;
