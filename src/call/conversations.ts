import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { listChannelsOfConversation } from '../database/channels.ts';
import { getConversation } from '../database/conversations.ts';
import { listRecordingsOfConversation } from '../database/recordings.ts';
import type { Db, Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { QualityFigures } from '../quality/quality-meter.ts';
import { manifestFile } from '../spool/layout.ts';
import { readManifest } from '../spool/reader.ts';
import type { ManifestRecord } from '../spool/records.ts';
import type { LiveCalls } from './live-calls.ts';

/** One stay of a connection, as far as it is recorded. */
export interface ChannelState {
  trackId: string;
  connectionId: string;
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
  /** From the conversation's start. */
  startMs: number;
  /** Undefined while the party is there. */
  endMs: number | undefined;
  durationMs: number;
  /** Null while it is not measured. */
  quality: QualityFigures | null;
}

export interface RecordingState {
  recordingId: string;
  ended: boolean;
  /** From the conversation's start, both; a recording that goes on ends now. */
  startMs: number;
  endMs: number;
  /** Of the mix; null while it is not measured. */
  quality: QualityFigures | null;
  channels: ChannelState[];
}

/** A conversation as it stands: rows once it ended, the growing manifests while it is live. */
export interface ConversationState {
  conversationId: string;
  accountId: string;
  conferenceName: string;
  status: 'active' | 'ended';
  startedUnixMs: number;
  endedUnixMs: number | undefined;
  /** In the order they began. */
  recordings: RecordingState[];
}

export interface ConversationsOptions {
  db: Db;
  calls: LiveCalls;
  spoolDir: string;
  clock: Clock;
}

export class Conversations {
  readonly #options: ConversationsOptions;

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  /** @throws CallreelError NOT_FOUND */
  async get(accountId: string, conversationId: string): Promise<ConversationState> {
    const { db } = this.#options;
    const row = await getConversation(db, accountId, conversationId);
    if (!row)
      throw new CallreelError('NOT_FOUND', 'there is no such conversation', {
        where: conversationId.slice(0, 64),
      });
    const recordings: RecordingState[] = [];
    for (const recording of await listRecordingsOfConversation(db, conversationId))
      if (recording.reason !== 'error')
        recordings.push(
          recording.state === 'ended' ? await this.#ended(recording) : await this.#live(recording),
        );
    return {
      conversationId,
      accountId,
      conferenceName: row.conferenceName ?? '',
      status: row.status,
      startedUnixMs: row.startTime.getTime(),
      endedUnixMs: row.endTime?.getTime(),
      recordings,
    };
  }

  async #ended(recording: Recording): Promise<RecordingState> {
    const { recordingId, conversationId, startSample, endSample, rateHz, quality } = recording;
    const rows = await listChannelsOfConversation(this.#options.db, conversationId);
    const channels = rows
      .filter((row) => row.recordingId === recordingId)
      .map((row) => ({
        ...row,
        trackId: row.channelId,
        endMs: row.endMs ?? row.startMs,
        durationMs: row.durationMs ?? 0,
      }));
    const toMs = (sample: number) => Math.round((sample * 1000) / rateHz);
    const [startMs, endMs] = [toMs(startSample), toMs(endSample ?? startSample)];
    return { recordingId, ended: true, startMs, endMs, quality, channels };
  }

  async #live({ recordingId, conversationId }: Recording): Promise<RecordingState> {
    await this.#options.calls.settle(conversationId);
    const path = join(this.#options.spoolDir, manifestFile(conversationId, recordingId));
    try {
      return liveRecording(recordingId, readManifest(path), this.#options.clock.unixMs());
    } catch (error) {
      // On record, but its header is not on disk yet.
      if (error instanceof CallreelError && error.code === 'NOT_FOUND') return notBegun(recordingId);
      throw error;
    }
  }
}

/** What a manifest tells of a recording that goes on at `nowUnixMs`. */
export function liveRecording(
  recordingId: string,
  manifest: readonly ManifestRecord[],
  nowUnixMs: number,
): RecordingState {
  const header = manifest.find((record) => record.type === 'header');
  if (!header) return notBegun(recordingId);
  const toMs = (sample: number) => Math.round((sample * 1000) / header.rateHz);
  const nowMs = Math.max(0, nowUnixMs - header.originUnixMs);
  const ends = new Map<string, number>();
  for (const record of manifest) if (record.type === 'track-end') ends.set(record.trackId, record.endSample);
  const channels = manifest
    .filter((record) => record.type === 'track')
    .map(({ trackId, party, startSample }): ChannelState => {
      const { connectionId, from, to, direction } = party;
      const endSample = ends.get(trackId);
      const startMs = toMs(startSample);
      const endMs = endSample === undefined ? undefined : toMs(endSample);
      const durationMs = Math.max(0, (endMs ?? nowMs) - startMs);
      return { trackId, connectionId, from, to, direction, startMs, endMs, durationMs, quality: null };
    });
  const startMs = toMs(header.startSample);
  const waits = header.waitsFor !== undefined && !manifest.some(({ type }) => type === 'begin');
  if (waits) return { recordingId, ended: false, startMs, endMs: startMs, quality: null, channels: [] };
  return { recordingId, ended: false, startMs, endMs: Math.max(startMs, nowMs), quality: null, channels };
}

function notBegun(recordingId: string): RecordingState {
  return { recordingId, ended: false, startMs: 0, endMs: 0, quality: null, channels: [] };
}
