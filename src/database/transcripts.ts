import { sql } from 'kysely';
import { json } from './json.ts';
import { fetchPage, type Page, type PageRequest } from './page.ts';
import type { Db } from './schema.ts';
import type { TranscriptRow, TranscriptState } from './transcript-table.ts';

export type NewTranscript = Pick<
  TranscriptRow,
  'recordingId' | 'conversationId' | 'accountId' | 'node' | 'locale' | 'createdAt'
>;

/** A recording has one transcript: one that is known already stays as it is. */
export async function insertTranscript(db: Db, transcript: NewTranscript): Promise<void> {
  await db
    .insertInto('transcripts')
    .values({ ...transcript, state: 'waiting', attempts: 0 })
    .onConflict((conflict) => conflict.column('recordingId').doNothing())
    .execute();
}

export async function getTranscript(db: Db, recordingId: string): Promise<TranscriptRow | undefined> {
  return await db
    .selectFrom('transcripts')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .executeTakeFirst();
}

/** Must run in a transaction: nobody else changes the row before its end. */
export async function lockTranscript(trx: Db, recordingId: string): Promise<TranscriptRow | undefined> {
  return await trx
    .selectFrom('transcripts')
    .selectAll()
    .where('recordingId', '=', recordingId)
    .forUpdate()
    .executeTakeFirst();
}

export interface TranscriptChange
  extends Partial<
    Pick<
      TranscriptRow,
      | 'state'
      | 'locale'
      | 'queuedAt'
      | 'attempts'
      | 'nextAttemptAt'
      | 'errorCode'
      | 'errorMessage'
      | 'text'
      | 'key'
      | 'destination'
      | 'bytes'
      | 'deliveredAt'
    >
  > {
  transcript?: object | null;
}

/** @returns the row as it is now */
export async function changeTranscript(
  db: Db,
  recordingId: string,
  { transcript, ...change }: TranscriptChange,
): Promise<TranscriptRow | undefined> {
  return await db
    .updateTable('transcripts')
    .set({
      ...change,
      ...(transcript !== undefined && { transcript: transcript === null ? null : json(transcript) }),
    })
    .where('recordingId', '=', recordingId)
    .returningAll()
    .executeTakeFirst();
}

export interface DueQuery {
  now: Date;
  limit: number;
  except: readonly string[];
}

function due(db: Db, node: string, { now, limit, except }: DueQuery) {
  return db
    .selectFrom('transcripts')
    .selectAll()
    .where('node', '=', node)
    .where('nextAttemptAt', '<=', now)
    .$if(except.length > 0, (query) => query.where('recordingId', 'not in', except))
    .orderBy('nextAttemptAt')
    .limit(limit);
}

/** Those of this node that are to be made, the longest due first. */
export async function listTranscriptsToMake(db: Db, node: string, query: DueQuery): Promise<TranscriptRow[]> {
  return await due(db, node, query).where('transcript', 'is', null).execute();
}

/** Those whose files are to be delivered; each behind the file of its recording. */
export async function listTranscriptsToDeliver(
  db: Db,
  node: string,
  query: DueQuery,
): Promise<TranscriptRow[]> {
  return await due(db, node, query)
    .where('transcript', 'is not', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('deliveries')
            .select('deliveryId')
            .whereRef('deliveries.recordingId', '=', 'transcripts.recordingId')
            .where('deliveries.state', 'in', ['waiting', 'uploading', 'failing']),
        ),
      ),
    )
    .execute();
}

/** What a process that ended was at, is due. */
export async function reviveInterruptedTranscripts(db: Db, node: string, now: Date): Promise<void> {
  await db
    .updateTable('transcripts')
    .set({ nextAttemptAt: now })
    .where('node', '=', node)
    .where('state', '=', 'running')
    .execute();
}

/**
 * Whether the credentials of its recording's delivery are still needed: its file is to go there, or it was given up and
 * may be asked for again. Must run in a transaction: whoever ends that meanwhile waits, and drops them himself.
 */
export async function isTranscriptOpen(trx: Db, recordingId: string): Promise<boolean> {
  const found = await trx
    .selectFrom('transcripts')
    .select('recordingId')
    .where('recordingId', '=', recordingId)
    .where((eb) =>
      eb.or([
        eb('state', 'in', ['waiting', 'running', 'failing']),
        eb('state', '=', 'dead').and('nextAttemptAt', 'is not', null),
      ]),
    )
    .forShare()
    .executeTakeFirst();
  return found !== undefined;
}

/** Nobody needs the credentials any more of a recording that is delivered, or was given up long ago. */
export async function dropDeliveredCredentials(db: Db, recordingId: string): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ sealedCredentials: null })
    .where('recordingId', '=', recordingId)
    .where((eb) =>
      eb.or([eb('state', '=', 'delivered'), eb('state', '=', 'dead').and('nextAttemptAt', 'is', null)]),
    )
    .execute();
}

/** Whose object is this now? The one that was written there last. */
export async function lastTranscriptAt(db: Db, destination: string): Promise<TranscriptRow | undefined> {
  return await db
    .selectFrom('transcripts')
    .selectAll()
    .where('destination', '=', destination)
    .orderBy('deliveredAt', 'desc')
    .limit(1)
    .executeTakeFirst();
}

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
    // An utterance is a hit when it has any of what is looked for: `querytree` leaves out what must not be there.
    const { rows } = await sql<ListedTranscript>`
      WITH wanted AS (
        SELECT query, replace(nullif(querytree(query), 'T'), '&', '|')::tsquery AS any_of
        FROM websearch_to_tsquery('simple', ${words ?? ''}) AS query
      ), found AS (
        SELECT t.*, wanted.any_of FROM callreel.transcripts AS t, wanted
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

const hitsOfFound = sql`(
  SELECT coalesce(jsonb_agg(hit ORDER BY (hit->>'fromSample')::bigint), '[]'::jsonb)
  FROM (
    SELECT jsonb_build_object(
      'fromSample', said->'fromSample', 'toSample', said->'toSample', 'text', said->'text',
      'rateHz', transcript->'rateHz',
      'speakerLabel', transcript->'channels'->((said->>'channel')::int)->'speakerLabel'
    ) AS hit
    FROM jsonb_array_elements(transcript->'utterances') AS said
    WHERE any_of IS NULL OR to_tsvector('simple', said->>'text') @@ any_of
    LIMIT ${maxHits}
  ) AS hits
)`;
