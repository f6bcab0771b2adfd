import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { endLostConnections } from '../database/connections.ts';
import { listActiveConversations } from '../database/conversations.ts';
import { findEndedRecordings, listUnfinishedRecordings } from '../database/recordings.ts';
import type { Conversation, Db } from '../database/schema.ts';
import type { Logger } from '../logger.ts';
import { recoverSpool } from '../recording/recovery.ts';
import { type RecordingSummary, summariseRecording } from '../recording/summary.ts';
import { listDirectory } from '../spool/files.ts';
import type { MasterKey } from '../spool/keys.ts';
import { isConversationName, manifestSuffix } from '../spool/layout.ts';
import type { EndedConversation } from './conversation-ended.ts';
import type { Directory } from './directory.ts';

export interface RestartOptions {
  clock: Clock;
  log: Logger;
  db: Db;
  directory: Directory;
  spoolDir: string;
  masterKey: MasterKey;
  node: string;
}

interface SpooledRecording {
  conversationId: string;
  recordingId: string;
}

/** Rows asked for in one query. */
const batchSize = 1000;

/**
 * Finishes what the run before left: recordings from the spool, conversations and connections from the directory.
 * Each gets its terminal state and its event, once, whatever moment the crash struck at. May be killed and begun
 * again. The workers of the run before must have ended.
 */
export async function finishPreviousRun(options: RestartOptions): Promise<void> {
  const { clock, log, db, directory, spoolDir, masterKey, node } = options;
  const nowUnixMs = clock.unixMs();
  for (const failure of recoverSpool({ spoolDirectory: spoolDir, masterKey }).failures)
    log.error(failure, 'a recording could not be finished');
  const active = new Map((await listActiveConversations(db)).map((row) => [row.conversationId, row]));
  const summaries = await unrecordedEnds(options, active);
  const unfinished = await listUnfinishedRecordings(db, node);
  const hasSummary = ({ conversationId, recordingId }: SpooledRecording) =>
    summaries.get(conversationId)?.some((summary) => summary.recordingId === recordingId) ?? false;
  for (const row of unfinished)
    if (row.kind === 'call' && !hasSummary(row)) await directory.recordingFailed(row);
  for (const conversationId of new Set([...summaries.keys(), ...active.keys()])) {
    const recordings = summaries.get(conversationId) ?? [];
    if (recordings.some(({ meta }) => meta.kind === 'call')) {
      for (const summary of recordings) await directory.recordingEnded(summary);
      continue;
    }
    const found = new Set(recordings.map(({ recordingId }) => recordingId));
    const failedRecordings = unfinished
      .filter((row) => row.conversationId === conversationId && !found.has(row.recordingId))
      .map(({ recordingId }) => recordingId);
    const ended = interruptedConversation(active.get(conversationId), recordings, nowUnixMs);
    await directory.conversationEnded({ ...ended, failedRecordings });
  }
  const connections = await endLostConnections(db, new Date(nowUnixMs));
  if (summaries.size + active.size + connections > 0)
    log.warn({ conversations: summaries.size, connections }, 'finished what the run before had left open');
}

/** What the spool says has ended and the directory does not know of, by conversation. */
async function unrecordedEnds(
  { db, log, spoolDir }: RestartOptions,
  active: ReadonlyMap<string, unknown>,
): Promise<Map<string, RecordingSummary[]>> {
  const found = new Map<string, RecordingSummary[]>();
  const spooled = listSpooledRecordings(spoolDir);
  for (let first = 0; first < spooled.length; first += batchSize) {
    const batch = spooled.slice(first, first + batchSize);
    const known = await findEndedRecordings(
      db,
      batch.map(({ recordingId }) => recordingId),
    );
    for (const { conversationId, recordingId } of batch) {
      // A conversation that is not on record as ended is told of with all of its recordings.
      if (known.has(recordingId) && !active.has(conversationId)) continue;
      try {
        const summary = summariseRecording(spoolDir, conversationId, recordingId);
        found.set(conversationId, [...(found.get(conversationId) ?? []), summary]);
      } catch (error) {
        log.error({ error, conversationId, recordingId }, 'a recording in the spool can not be read');
      }
    }
  }
  return found;
}

function listSpooledRecordings(spoolDir: string): SpooledRecording[] {
  return listDirectory(spoolDir)
    .filter(isConversationName)
    .flatMap((conversationId) =>
      listDirectory(join(spoolDir, conversationId))
        .filter((name) => name.endsWith(manifestSuffix))
        .map((name) => ({ conversationId, recordingId: name.slice(0, -manifestSuffix.length) })),
    );
}

/** From the row where there is one, else from what the manifest's header kept for this moment. */
function interruptedConversation(
  row: Conversation | undefined,
  recordings: RecordingSummary[],
  nowUnixMs: number,
): Omit<EndedConversation, 'failedRecordings'> {
  const [first] = recordings;
  const endedUnixMs = first ? Math.max(...recordings.map(endOfAudioUnixMs)) : nowUnixMs;
  if (row)
    return {
      accountId: row.accountId,
      conversationId: row.conversationId,
      conferenceName: row.conferenceName ?? '',
      dialect: row.dialect,
      startedUnixMs: row.startTime.getTime(),
      endedUnixMs,
      eventCallbacks: row.eventCallbacks,
      recordings,
    };
  if (!first) throw new TypeError('a conversation without a row and without a recording');
  const { conferenceName, dialect, startedUnixMs, eventCallbacks } = first.meta;
  return {
    accountId: first.accountId,
    conversationId: first.conversationId,
    conferenceName: typeof conferenceName === 'string' ? conferenceName : '',
    dialect: typeof dialect === 'string' ? dialect : '',
    startedUnixMs: typeof startedUnixMs === 'number' ? startedUnixMs : first.startedUnixMs,
    endedUnixMs,
    eventCallbacks: Array.isArray(eventCallbacks)
      ? eventCallbacks.filter((url) => typeof url === 'string')
      : [],
    recordings,
  };
}

/** A conversation that was interrupted ended when its audio did, not when it was found. */
function endOfAudioUnixMs({ startedUnixMs, startSample, endSample, rateHz }: RecordingSummary): number {
  return startedUnixMs + Math.round(((endSample - startSample) * 1000) / rateHz);
}
