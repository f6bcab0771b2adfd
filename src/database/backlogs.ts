import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** How many rows of one state there are for which something is to be done, or was given up. */
export interface Backlog {
  kind: 'transcript' | 'transcript file' | 'delivery' | 'event';
  state: string;
  count: number;
  /** Since when the longest waiting of them waits; of what was given up undefined. */
  oldest: Date | undefined;
}

interface BacklogRow {
  kind: Backlog['kind'];
  state: string;
  count: string | number;
  oldest: Date | null;
}

/**
 * What waits on this node, and events, which any node sends. Recordings that go on have no backlog yet.
 */
export async function listBacklogs(db: Db, node: string): Promise<Backlog[]> {
  const { rows } = await sql<BacklogRow>`
    SELECT
      CASE WHEN transcript IS NULL THEN 'transcript' ELSE 'transcript file' END AS kind,
      state, count(*) AS count, min(queued_at) AS oldest
    FROM callreel.transcripts
    WHERE node = ${node} AND state IN ('waiting', 'running', 'failing', 'dead') AND queued_at IS NOT NULL
    GROUP BY 1, 2
    UNION ALL
    SELECT 'delivery', state, count(*), min(queued_at)
    FROM callreel.deliveries
    WHERE node = ${node} AND state IN ('waiting', 'uploading', 'failing', 'dead')
      AND (queued_at IS NOT NULL OR state = 'dead')
    GROUP BY 2
    UNION ALL
    SELECT 'event', 'pending', count(*), min(queued_at)
    FROM callreel.events WHERE delivered_at IS NULL AND dead_at IS NULL
    UNION ALL
    SELECT 'event', 'dead', count(*), NULL
    FROM callreel.events WHERE delivered_at IS NULL AND dead_at IS NOT NULL`.execute(db);
  return rows.map(({ kind, state, count, oldest }) => ({
    ...{ kind, state, count: Number(count) },
    oldest: state === 'dead' ? undefined : (oldest ?? undefined),
  }));
}
