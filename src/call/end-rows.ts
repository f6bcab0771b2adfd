import { saveChannels } from '../database/channels.ts';
import { endConversation, getConversation, insertConversation } from '../database/conversations.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import { endRecording, getRecording, insertRecording } from '../database/recordings.ts';
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

/**
 * What an end writes, in one transaction with its events. It knows what the spool knows, no more: a crash may have lain
 * between the spool's header and the rows, which are written here then. Whoever comes second finds it done.
 */
export class EndRows {
  readonly #options: EndRowsOptions;

  constructor(options: EndRowsOptions) {
    this.#options = options;
  }

  /** Itself, with its recordings and their channels. */
  async conversation(trx: Db, ended: EndedConversation): Promise<void> {
    const { conferenceName, dialect } = ended;
    const ends = new Map<string, RecordingChanged | undefined>();
    for (const recording of ended.recordings)
      ends.set(recording.recordingId, await this.#recordingOf(trx, ended, recording));
    for (const recordingId of ended.failedRecordings)
      await this.failed(trx, recordingId, new Date(ended.endedUnixMs), conferenceName);
    const row = await this.#endConversation(trx, ended);
    if (!row) return;
    const event = conversationEndedEvent(ended, ends);
    await this.#options.events.conversationEnded(trx, event, row.eventCallbacks, dialect);
  }

  /** @returns undefined where it had ended before */
  async #endConversation(trx: Db, ended: EndedConversation): Promise<Conversation | undefined> {
    const { accountId, conversationId, conferenceName, dialect, eventCallbacks } = ended;
    const end = {
      endTime: new Date(ended.endedUnixMs),
      durationMs: Math.max(0, ended.endedUnixMs - ended.startedUnixMs),
    };
    const row = await endConversation(trx, conversationId, end);
    if (row || (await getConversation(trx, accountId, conversationId))) return row;
    await insertConversation(trx, {
      conversationId,
      accountId,
      conferenceName,
      dialect,
      startTime: new Date(ended.startedUnixMs),
      eventCallbacks,
    });
    return await endConversation(trx, conversationId, end);
  }

  /** It never came to life, or left nothing that can be read. */
  async failed(trx: Db, recordingId: string, endedAt: Date, conferenceName?: string): Promise<void> {
    const row = await endRecording(trx, recordingId, { reason: 'error', endSample: 0, endedAt });
    if (row) await this.#tellEnd(trx, row, conferenceName);
  }

  /** Mostly its end is on record by now; only what its parties' stays were like may be new. */
  async #recordingOf(
    trx: Db,
    ended: EndedConversation,
    recording: RecordingSummary,
  ): Promise<RecordingChanged | undefined> {
    const { recordingId, meta, startedUnixMs } = recording;
    const measured = ended.measured?.get(recordingId);
    const row = measured ? undefined : await getRecording(trx, ended.accountId, recordingId);
    if (row?.state !== 'ended') return await this.recording(trx, { ...ended, measured }, recording);
    if (ended.stayReports?.size) await this.#saveChannels(trx, { ...ended, measured }, recording);
    return endEvent(row, textOf(meta.conferenceName) ?? '', startedUnixMs);
  }

  /** @returns how it ended, as it is on record */
  async recording(trx: Db, ended: EndOf, recording: RecordingSummary): Promise<RecordingChanged | undefined> {
    const { measured, ...known } = ended;
    const { recordingId, meta, startedUnixMs } = recording;
    const conferenceName = textOf(meta.conferenceName);
    const row = await this.#endRecording(trx, ended, recording);
    if (row) await this.#tellEnd(trx, row, conferenceName, startedUnixMs);
    // Of what was erased meanwhile no figures are kept.
    const isKept = row && row.erasedAt === null;
    await this.#saveChannels(trx, isKept ? ended : known, recording);
    const onRecord = row ?? (await getRecording(trx, ended.accountId, recordingId));
    return onRecord && endEvent(onRecord, conferenceName ?? '', startedUnixMs);
  }

  /** @returns undefined where it had ended before */
  async #endRecording(trx: Db, ended: EndOf, recording: RecordingSummary): Promise<RecordingRow | undefined> {
    const { recordingId, startSample, endSample, recordedSamples, fileSamples } = recording;
    const end = {
      quality: ended.measured?.mix,
      reason: recording.reason,
      startSample,
      endSample,
      recordedSamples,
      fileSamples,
      digit: recording.digit ?? null,
      notices: recording.notices,
      endedAt: new Date(recording.endedUnixMs),
    };
    const row = await endRecording(trx, recordingId, end);
    if (row || (await getRecording(trx, ended.accountId, recordingId))) return row;
    await this.#insertRecording(trx, ended, recording);
    return await endRecording(trx, recordingId, end);
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

  async #saveChannels(
    trx: Db,
    { accountId, conversationId, stayReports, measured }: EndOf,
    { recordingId, rateHz, tracks }: RecordingSummary,
  ): Promise<void> {
    const toMs = (sample: number) => Math.round((sample * 1000) / rateHz);
    await saveChannels(
      trx,
      tracks.map((track, joinOrder) => ({
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
      })),
    );
  }

  /** The terminal event; there is one, because a row ends once. */
  async #tellEnd(trx: Db, row: RecordingRow, conferenceName = '', startedUnixMs?: number): Promise<void> {
    const { events, deliveries, transcripts } = this.#options;
    const telling = tellingOf(row.wishes);
    if (telling) await events.recordingChanged(trx, telling, endEvent(row, conferenceName, startedUnixMs));
    await transcripts?.recordingEnded(trx, row);
    const dead = await deliveries?.rows.recordingEnded(trx, row);
    if (dead) await events.deliveryChanged(trx, dead, 'dead');
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

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
