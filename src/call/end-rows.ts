import { saveChannels } from '../database/channels.ts';
import { getConversation, insertConversation } from '../database/conversations.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import {
  endConversations,
  endRecordings,
  findRecordings,
  findWanted,
  type RecordingEnd,
} from '../database/ends.ts';
import { endRecording, insertRecording } from '../database/recordings.ts';
import type { Conversation, Db, Recording as RecordingRow } from '../database/schema.ts';
import type { DeliveryRows } from '../delivery/delivery-rows.ts';
import type { HandedCredentials } from '../delivery/handed-credentials.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { TranscriptRows } from '../transcripts/transcript-rows.ts';
import type { MeasuredRecording } from '../worker/quality-protocol.ts';
import { conversationEndedEvent, type EndedConversation } from './conversation-ended.ts';
import { keptDeliveryWish } from './delivery-wish.ts';
import type { EventRows } from './event-rows.ts';
import { parseFileOrder } from './file-order.ts';
import type { RecordingChanged } from './neutral-events.ts';
import { endEvent, tellingOf } from './recording-events.ts';
import { clientStateOf, wishesOf } from './recording-header.ts';
import { wantedLocale } from './transcript-wish.ts';

export interface EndRowsOptions {
  events: EventRows;
  spoolDir: string;
  /** Name of this node, kept with each recording: its spool lies here. */
  node: string;
  /** Of recordings with a destination. */
  deliveries?: { rows: DeliveryRows; credentials: HandedCredentials } | undefined;
  /** Of recordings that are transcribed. */
  transcripts?: TranscriptRows | undefined;
}

/** Of whom something ends. */
type EndOf = Pick<EndedConversation, 'accountId' | 'conversationId' | 'stayReports'> & {
  /** Figures of the recording, where they are known by now. */
  measured?: MeasuredRecording | undefined;
};

export interface EndOfRecording {
  of: EndOf;
  recording: RecordingSummary;
}

interface EndedRow {
  row: RecordingRow;
  /** It had not ended before. */
  isNew: boolean;
}

interface ToldEnd {
  row: RecordingRow;
  event: RecordingChanged;
}

/**
 * What ends write, each in one transaction with its events; those of one moment in one query each. It knows what the spool knows, no more: a crash may have lain
 * between the spool's header and the rows, which are written here then. Whoever comes second finds it done.
 */
export class EndRows {
  readonly #options: EndRowsOptions;

  constructor(options: EndRowsOptions) {
    this.#options = options;
  }

  /** Themselves, with their recordings and their channels. */
  async conversations(trx: Db, all: readonly EndedConversation[]): Promise<void> {
    const onRecord = await this.recordings(
      trx,
      all.flatMap(({ recordings, measured, ...ended }) =>
        recordings.map((recording) => ({
          of: { ...ended, measured: measured?.get(recording.recordingId) },
          recording,
        })),
      ),
    );
    for (const { failedRecordings, endedUnixMs, conferenceName } of all)
      for (const recordingId of failedRecordings)
        await this.failed(trx, recordingId, new Date(endedUnixMs), conferenceName);
    const rows = await this.#endConversations(trx, all);
    const told = all.flatMap((ended) => {
      const row = rows.get(ended.conversationId);
      if (!row) return [];
      const { dialect } = ended;
      return { event: conversationEndedEvent(ended, onRecord), callbacks: row.eventCallbacks, dialect };
    });
    await this.#options.events.conversationsEnded(trx, told);
  }

  /** @returns those that had not ended before */
  async #endConversations(trx: Db, all: readonly EndedConversation[]): Promise<Map<string, Conversation>> {
    const ends = all.map(({ conversationId, startedUnixMs, endedUnixMs }) => ({
      conversationId,
      endTime: new Date(endedUnixMs),
      durationMs: Math.max(0, endedUnixMs - startedUnixMs),
    }));
    const rows = await endConversations(trx, ends);
    for (const [index, ended] of all.entries()) {
      const { accountId, conversationId, conferenceName, dialect, eventCallbacks } = ended;
      if (rows.some((row) => row.conversationId === conversationId)) continue;
      if (await getConversation(trx, accountId, conversationId)) continue;
      const startTime = new Date(ended.startedUnixMs);
      const row = { conversationId, accountId, conferenceName, dialect, startTime, eventCallbacks };
      await insertConversation(trx, row);
      rows.push(...(await endConversations(trx, [ends[index]!])));
    }
    return new Map(rows.map((row) => [row.conversationId, row]));
  }

  /** It never came to life, or left nothing that can be read. */
  async failed(trx: Db, recordingId: string, endedAt: Date, conferenceName?: string): Promise<void> {
    const row = await endRecording(trx, recordingId, { reason: 'error', endSample: 0, endedAt });
    if (row) await this.#tellEnds(trx, [{ row, event: endEvent(row, conferenceName ?? '') }]);
  }

  /** @returns how they ended, as it is on record; by their ids */
  async recordings(trx: Db, ends: readonly EndOfRecording[]): Promise<Map<string, RecordingChanged>> {
    const rows = await this.#endRecordings(trx, ends);
    const events = new Map<string, RecordingChanged>();
    const told: ToldEnd[] = [];
    for (const { recording } of ends) {
      const { recordingId, meta, startedUnixMs } = recording;
      const { row, isNew } = rows.get(recordingId)!;
      const event = endEvent(row, textOf(meta.conferenceName) ?? '', startedUnixMs);
      events.set(recordingId, event);
      if (isNew) told.push({ row, event });
    }
    await this.#tellEnds(trx, told);
    await saveChannels(
      trx,
      ends.flatMap(({ of, recording }) => {
        const { row, isNew } = rows.get(recording.recordingId)!;
        // Of what was erased meanwhile no figures are kept.
        const isKept = isNew && row.erasedAt === null;
        return channelsOf(isKept ? of : { ...of, measured: undefined }, recording);
      }),
    );
    return events;
  }

  /** Mostly all of them end now, or are on record as ended; a crash keeps rows from being there. */
  async #endRecordings(trx: Db, ends: readonly EndOfRecording[]): Promise<Map<string, EndedRow>> {
    const rows = new Map<string, EndedRow>();
    const add = (isNew: boolean) => (row: RecordingRow) => void rows.set(row.recordingId, { row, isNew });
    const without = () => ends.filter(({ recording }) => !rows.has(recording.recordingId));
    (await endRecordings(trx, ends.map(rowOf))).forEach(add(true));
    const ids = without().map(({ recording }) => recording.recordingId);
    (await findRecordings(trx, ids)).forEach(add(false));
    for (const end of without()) {
      await this.#insertRecording(trx, end.of, end.recording);
      (await endRecordings(trx, [rowOf(end)])).forEach(add(true));
    }
    return rows;
  }

  /** A crash kept its row from being written. */
  async #insertRecording(
    trx: Db,
    { accountId, conversationId }: EndOf,
    recording: RecordingSummary,
  ): Promise<void> {
    const { meta } = recording;
    await insertRecording(trx, {
      recordingId: recording.recordingId,
      conversationId,
      accountId,
      kind: meta.kind === 'call' ? 'call' : 'conference',
      rateHz: recording.rateHz,
      clientState: clientStateOf(meta),
      connectionId: textOf(meta.connectionId),
      controlId: textOf(meta.controlId),
      wishes: wishesOf(meta),
      startSample: recording.startSample,
      startedAt: new Date(recording.startedUnixMs),
      sealedKey: recording.sealedKey,
      fileOrder: parseFileOrder(meta.file),
      spoolDir: this.#options.spoolDir,
      node: this.#options.node,
    });
    await this.#insertWanted(trx, { ...recording, accountId, conversationId });
  }

  /** The terminal events; there is one for each, because a row ends once. */
  async #tellEnds(trx: Db, ended: readonly ToldEnd[]): Promise<void> {
    if (ended.length === 0) return;
    const { events, deliveries, transcripts } = this.#options;
    const told = ended.flatMap(({ row, event }) => {
      const telling = tellingOf(row.wishes);
      return telling ? { telling, event } : [];
    });
    await events.recordingsChanged(trx, told);
    const ids = ended.map(({ row }) => row.recordingId);
    const wanted = await findWanted(trx, ids);
    for (const { row } of ended) {
      if (wanted.transcribed.has(row.recordingId)) await transcripts?.recordingEnded(trx, row);
      if (!wanted.delivered.has(row.recordingId)) continue;
      const dead = await deliveries?.rows.recordingEnded(trx, row);
      if (dead) await events.deliveryChanged(trx, dead, 'dead');
    }
  }

  async #insertWanted(
    trx: Db,
    { recordingId, conversationId, accountId, startedUnixMs, meta }: RecordingSummary,
  ): Promise<void> {
    const { deliveries, transcripts } = this.#options;
    const wishes = wishesOf(meta);
    const ids = { recordingId, conversationId, accountId, startedAt: new Date(startedUnixMs) };
    const locale = wantedLocale(wishes);
    if (locale !== undefined) await transcripts?.insert(trx, ids, locale);
    const wish = keptDeliveryWish(wishes);
    if (!deliveries || !wish || (await deliveryOfRecording(trx, recordingId))) return;
    const sealedCredentials = deliveries.credentials.get(recordingId);
    await deliveries.rows.insert(trx, ids, { ...wish, sealedCredentials });
  }
}

function rowOf({ of, recording }: EndOfRecording): RecordingEnd {
  const { recordingId, reason, startSample, endSample, recordedSamples, fileSamples, notices } = recording;
  return {
    ...{ recordingId, reason, startSample, endSample, recordedSamples, fileSamples, notices },
    digit: recording.digit ?? null,
    endedAt: new Date(recording.endedUnixMs),
    quality: of.measured?.mix,
  };
}

function channelsOf(
  { accountId, conversationId, stayReports, measured }: EndOf,
  { recordingId, rateHz, tracks }: RecordingSummary,
) {
  const toMs = (sample: number) => Math.round((sample * 1000) / rateHz);
  return tracks.map((track, joinOrder) => ({
    channelId: track.trackId,
    recordingId,
    conversationId,
    accountId,
    connectionId: track.party.connectionId,
    from: track.party.from,
    to: track.party.to,
    direction: track.party.direction,
    startMs: toMs(track.startSample),
    joinOrder,
    endMs: toMs(track.endSample),
    packets: track.packets,
    media: stayReports?.get(track.trackId),
    quality: measured?.channels[track.trackId],
  }));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
