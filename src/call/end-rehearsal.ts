import { insertConversation } from '../database/conversations.ts';
import { insertRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { newId } from '../ids.ts';
import { figuresOfNothing } from '../quality/quality-meter.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { EndedConversation } from './conversation-ended.ts';
import type { EndRows } from './end-rows.ts';
import { wishesOf } from './recording-header.ts';

export interface RehearsalOptions {
  db: Db;
  ends: Pick<EndRows, 'conversations'>;
  spoolDir: string;
  node: string;
  /** In whose forms the events are made. */
  dialects: readonly string[];
}

/** Of the database: what ends at once is written by few of them. */
const sessions = 4;
/** Of each dialect and session. */
const conversationsEach = 4;
const tracksEach = 2;
const accountId = 'rehearsal';
const rateHz = 8000;
const endSample = 8000;
const url = 'http://rehearsal.invalid/';

class TakenBack extends Error {}

/**
 * Ends conversations of nobody, and takes all of it back: many calls may end together, and code that runs for the first
 * time takes many times as long, in this process and in the database's. Nobody ever sees a row of it.
 */
export async function rehearseEnds(options: RehearsalOptions): Promise<void> {
  await Promise.all(Array.from({ length: sessions }, () => rehearse(options)));
}

async function rehearse(options: RehearsalOptions): Promise<void> {
  const all = options.dialects.flatMap((dialect) =>
    Array.from({ length: conversationsEach }, () => conversation(dialect)),
  );
  try {
    await options.db.transaction().execute(async (trx) => {
      for (const ended of all) await insert(trx, ended, options);
      await options.ends.conversations(trx, all);
      throw new TakenBack();
    });
  } catch (error) {
    if (!(error instanceof TakenBack)) throw error;
  }
}

async function insert(trx: Db, ended: EndedConversation, { spoolDir, node }: RehearsalOptions) {
  const { conversationId, conferenceName, dialect, eventCallbacks } = ended;
  const startTime = new Date(0);
  const ids = { accountId, conversationId };
  await insertConversation(trx, { ...ids, conferenceName, dialect, startTime, eventCallbacks });
  for (const { recordingId, sealedKey, meta } of ended.recordings)
    await insertRecording(trx, {
      ...{ ...ids, recordingId, sealedKey, rateHz, spoolDir, node, wishes: wishesOf(meta) },
      ...{ kind: 'conference', startSample: 0, startedAt: startTime },
    });
}

function conversation(dialect: string): EndedConversation {
  const conversationId = newId();
  const recording = recordingOf(conversationId, dialect);
  const { recordingId, tracks } = recording;
  const figures = { ...figuresOfNothing, note: null };
  const channels = Object.fromEntries(tracks.map(({ trackId }) => [trackId, figures]));
  return {
    ...{ accountId, conversationId, conferenceName: 'rehearsal', dialect },
    ...{ startedUnixMs: 0, endedUnixMs: 1000, eventCallbacks: [url], failedRecordings: [] },
    recordings: [recording],
    measured: new Map([[recordingId, { mix: figures, channels }]]),
    stayReports: new Map(),
  };
}

function recordingOf(conversationId: string, dialect: string): RecordingSummary {
  const tracks = Array.from({ length: tracksEach }, (_, index) => ({
    ...{ trackId: `track${index}`, side: 'said' as const, startSample: 0, endSample, packets: 50 },
    recordedSamples: endSample,
    party: {
      ...{ connectionId: `leg${index}`, from: '+15550100', to: '1000' },
      ...{ direction: 'incoming' as const, role: 'participant' as const },
    },
  }));
  return {
    ...{ recordingId: newId(), conversationId, accountId, rateHz, startSample: 0, endSample, tracks },
    ...{ isTrimmed: false, startedUnixMs: 0, endedUnixMs: 1000, reason: 'conversation_ended' },
    ...{ digit: undefined, recordedSamples: endSample, fileSamples: endSample, sealedKey: '', notices: [] },
    meta: { kind: 'conference', conferenceName: 'rehearsal', wishes: { statusUrl: url, dialect } },
  };
}
