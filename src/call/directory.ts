import type { Clock } from '../clock.ts';
import { saveChannel } from '../database/channels.ts';
import {
  endConversation,
  getConversation,
  insertConversation,
  setEventCallbacks,
} from '../database/conversations.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import { getEvent } from '../database/events.ts';
import {
  endRecording,
  getRecording,
  insertRecording,
  type NewRecording,
  setRecordingEvidence,
  setRecordingFile,
  setRecordingState,
} from '../database/recordings.ts';
import type { Db, Delivery, Recording as RecordingRow } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import type { DeliveryRows } from '../delivery/delivery-rows.ts';
import type { HandedCredentials } from '../delivery/handed-credentials.ts';
import type { Outbox, OutgoingEvent } from '../delivery/outbox.ts';
import type { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { TranscriptRows } from '../transcripts/transcript-rows.ts';
import type { FileOrder } from '../worker/file-protocol.ts';
import type { Conference, Warning } from './conference.ts';
import { ConnectionRows } from './connection-rows.ts';
import { conversationEndedEvent, type EndedConversation } from './conversation-ended.ts';
import { type DeliveryWish, keptDeliveryWish } from './delivery-wish.ts';
import { parseEventCallback } from './event-callback.ts';
import { parseFileOrder } from './file-order.ts';
import type {
  EventFormatter,
  RecordingChanged,
  RecordingDelivery,
  RecordingTranscript,
} from './neutral-events.ts';
import type { Recording } from './recording.ts';
import {
  deliveryEvent,
  endEvent,
  progressEvent,
  type Telling,
  tellingOf,
  transcriptEvent,
} from './recording-events.ts';
import { clientStateOf, wishesOf } from './recording-header.ts';
import { wantedLocale } from './transcript-wish.ts';
import { WriteQueue } from './write-queue.ts';

export interface DirectoryOptions {
  clock: Clock;
  log: Logger;
  db: Db;
  outbox: Outbox;
  spoolDir: string;
  /** Name of this node, kept with each recording: its spool lies here. */
  node: string;
  /** By dialect; makes the vendor's body inside the transaction of the event. */
  formatters: Readonly<Record<string, EventFormatter>>;
  /** Of recordings with a destination. */
  deliveries?: { rows: DeliveryRows; credentials: HandedCredentials } | undefined;
  /** Of recordings that are transcribed. */
  transcripts?: TranscriptRows | undefined;
}

/** Writes what happens on this node to PostgreSQL; the calls never wait for it. */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #writes: WriteQueue;
  readonly connections: ConnectionRows;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#writes = new WriteQueue(options.clock, options.log);
    this.connections = new ConnectionRows(options.db, this.#writes);
  }

  /** When what was written so far of the conversation, or of a call that is recorded by itself, is in the database. */
  conversationWritten(conversationId: string): Promise<void> {
    return this.#writes.add(conversationId, 'nothing more', () => Promise.resolve());
  }

  conversationStarted(conference: Conference): void {
    const { conversationId, accountId, name, dialect, startedUnixMs } = conference;
    this.#write(conversationId, 'conversation started', async () => {
      await insertConversation(this.#options.db, {
        conversationId,
        accountId,
        conferenceName: name,
        dialect,
        startTime: new Date(startedUnixMs),
        eventCallbacks: [...conference.eventCallbacks],
      });
    });
  }

  conversationCallbacks(conversationId: string, eventCallbacks: string[]): void {
    this.#write(conversationId, 'event callbacks', async () => {
      await setEventCallbacks(this.#options.db, conversationId, eventCallbacks);
    });
  }

  /** Tells a participant's callback what is not done for it. */
  conversationWarning(conference: Conference, warning: Warning, callback: string): void {
    const { conversationId, accountId, name, dialect } = conference;
    const { url: callbackUrl, dialect: told = dialect } = parseEventCallback(callback);
    const payload = this.#options.formatters[told]?.({
      kind: 'conversation.warning',
      accountId,
      conversationId,
      conferenceName: name,
      ...warning,
    });
    const type = 'conversation.warning';
    if (payload) this.event({ accountId, conversationId, type, payload, callbackUrl, dialect: told });
  }

  /** What is no change of a state of ours; it is told behind what was told of its call or conversation before. */
  event(event: Omit<OutgoingEvent, 'eventId'>): void {
    const eventId = newId();
    this.#write(event.conversationId, event.type, async () => {
      await this.#options.outbox.transaction(async (trx, outbox) => {
        if (!(await getEvent(trx, eventId))) await outbox.insert(trx, { ...event, eventId });
      });
    });
  }

  /**
   * @param fileOrder of the file that is written along with it
   * @param delivery of its file, with sealed credentials
   */
  recordingStarted(
    recording: Recording,
    sealedKey: string,
    fileOrder?: FileOrder,
    delivery?: DeliveryWish,
  ): void {
    const { recordingId, conversationId, accountId, rateHz, clientState, wishes, call } = recording;
    const startedAt = new Date(this.#options.clock.unixMs());
    const { beep, consent } = wishes.options ?? {};
    const row: NewRecording = {
      state: beep || consent ? 'waiting' : undefined,
      ...{ recordingId, conversationId, accountId, rateHz, clientState, wishes, startedAt, sealedKey },
      fileOrder,
      kind: call ? 'call' : 'conference',
      connectionId: call?.legId,
      controlId: wishes.controlId,
      startSample: 0,
      spoolDir: this.#options.spoolDir,
      node: this.#options.node,
    };
    const credentials = this.#handOver(recordingId, delivery);
    this.#write(conversationId, 'recording started', async () => {
      await this.#options.db.transaction().execute(async (trx) => {
        await insertRecording(trx, row);
        const ids = { recordingId, conversationId, accountId, startedAt };
        if (delivery) await this.#options.deliveries?.rows.insert(trx, ids, delivery);
        const locale = wantedLocale(wishes);
        if (locale !== undefined) await this.#options.transcripts?.insert(trx, ids, locale);
      });
      credentials?.drop(recordingId);
    });
  }

  /** Who consented and who heard the notice, as far as that is known by now. */
  recordingEvidence({ recordingId, conversationId, consents, heardNotices }: Recording): Promise<void> {
    const evidence = { consent: structuredClone(consents), notices: [...heardNotices] };
    return this.#writes.add(conversationId, 'recording evidence', async () => {
      await setRecordingEvidence(this.#options.db, recordingId, evidence);
    });
  }

  /** It began, was paused, or goes on; whoever wants to know is told, once. */
  recordingProgressed(recording: Recording, conferenceName: string, atSample: number): void {
    const { recordingId, conversationId, wishes, activity } = recording;
    const eventId = newId();
    const telling = tellingOf(wishes);
    const event = progressEvent(recording, conferenceName, atSample);
    this.#write(conversationId, `recording ${activity}`, async () => {
      await this.#options.outbox.transaction(async (trx) => {
        await setRecordingState(trx, recordingId, activity);
        if (telling && event && !(await getEvent(trx, eventId)))
          await this.#tell(trx, telling, event, eventId);
      });
    });
  }

  /** Everything of it is on disk: its row, its channels and its event in one transaction. */
  recordingEnded(summary: RecordingSummary): Promise<void> {
    const { accountId, conversationId } = summary;
    return this.#writes.add(conversationId, 'recording ended', async () => {
      await this.#options.outbox.transaction((trx) =>
        this.#writeRecordingEnd(trx, { accountId, conversationId }, summary),
      );
    });
  }

  /** What became of its file. */
  recordingFile(
    conversationId: string,
    recordingId: string,
    file: { path: string } | { failure: CallreelError },
  ): Promise<void> {
    const outcome =
      'path' in file
        ? ({ fileState: 'written', filePath: file.path, fileReason: null } as const)
        : ({ fileState: 'failed', filePath: null, fileReason: file.failure.code } as const);
    return this.#writes.add(conversationId, 'recording file', async () => {
      await setRecordingFile(this.#options.db, recordingId, outcome);
    });
  }

  /** It never came to life, or left nothing that can be read. */
  recordingFailed({
    recordingId,
    conversationId,
  }: {
    recordingId: string;
    conversationId: string;
  }): Promise<void> {
    return this.#writes.add(conversationId, 'recording failed', async () => {
      const endedAt = new Date(this.#options.clock.unixMs());
      await this.#options.outbox.transaction(async (trx) => {
        const row = await endRecording(trx, recordingId, { reason: 'error', endSample: 0, endedAt });
        if (row) await this.#tellEnd(trx, row);
      });
    });
  }

  /** One transaction: recordings, channels, the conversation's end and its events. Whoever comes second finds it done. */
  conversationEnded(ended: EndedConversation): Promise<void> {
    return this.#writes.add(ended.conversationId, 'conversation ended', async () => {
      await this.#options.outbox.transaction((trx) => this.#writeEnd(trx, ended));
    });
  }

  /** In the transaction of the delivery's state. */
  async deliveryChanged(trx: Db, delivery: Delivery, state: RecordingDelivery['state']): Promise<void> {
    await this.#tellOf(trx, delivery, (row, name) => deliveryEvent(row, delivery, state, name));
  }

  /** In the transaction of the transcript's state. */
  async transcriptChanged(
    trx: Db,
    transcript: TranscriptRow,
    state: RecordingTranscript['state'],
  ): Promise<void> {
    await this.#tellOf(trx, transcript, (row, name) => transcriptEvent(row, transcript, state, name));
  }

  async #tellOf(
    trx: Db,
    {
      accountId,
      recordingId,
      conversationId,
    }: Pick<Delivery, 'accountId' | 'recordingId' | 'conversationId'>,
    eventOf: (row: RecordingRow, conferenceName: string) => RecordingDelivery | RecordingTranscript,
  ): Promise<void> {
    const row = await getRecording(trx, accountId, recordingId);
    const telling = row && tellingOf(row.wishes);
    if (!telling) return;
    const conversation = await getConversation(trx, accountId, conversationId);
    await this.#tell(trx, telling, eventOf(row, conversation?.conferenceName ?? ''));
  }

  /** Waits until every row is written. */
  async whenIdle(): Promise<void> {
    await this.#writes.whenIdle();
  }

  /** What the database refuses from now on is given up and found again in the spool at the next start. */
  close(): void {
    this.#writes.close();
  }

  #write(key: string, what: string, write: () => Promise<void>): void {
    void this.#writes.add(key, what, write);
  }

  async #writeEnd(trx: Db, ended: EndedConversation): Promise<void> {
    const { accountId, conversationId, conferenceName, dialect, eventCallbacks } = ended;
    // The row may be missing: a crash between the spool's header and the row.
    await insertConversation(trx, {
      conversationId,
      accountId,
      conferenceName,
      dialect,
      startTime: new Date(ended.startedUnixMs),
      eventCallbacks,
    });
    const ends = new Map<string, RecordingChanged | undefined>();
    for (const recording of ended.recordings)
      ends.set(recording.recordingId, await this.#writeRecordingEnd(trx, ended, recording));
    for (const recordingId of ended.failedRecordings) {
      const endedAt = new Date(ended.endedUnixMs);
      const row = await endRecording(trx, recordingId, { reason: 'error', endSample: 0, endedAt });
      if (row) await this.#tellEnd(trx, row, conferenceName);
    }
    const row = await endConversation(trx, conversationId, {
      endTime: new Date(ended.endedUnixMs),
      durationMs: Math.max(0, ended.endedUnixMs - ended.startedUnixMs),
    });
    if (!row) return;
    const event = conversationEndedEvent(ended, ends);
    for (const kept of row.eventCallbacks) {
      const { url: callbackUrl, dialect: told = dialect } = parseEventCallback(kept);
      const payload = this.#options.formatters[told]?.(event);
      const about = { accountId, conversationId, type: 'conversation.ended', callbackUrl, dialect: told };
      if (payload) await this.#options.outbox.insert(trx, { ...about, payload });
    }
  }

  /** @returns how it ended, as it is on record */
  async #writeRecordingEnd(
    trx: Db,
    ended: Pick<EndedConversation, 'accountId' | 'conversationId' | 'stayReports'>,
    recording: RecordingSummary,
  ): Promise<RecordingChanged | undefined> {
    const { accountId, conversationId } = ended;
    const { recordingId, rateHz, startSample, endSample, recordedSamples, fileSamples, meta } = recording;
    const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
    await insertRecording(trx, {
      recordingId,
      conversationId,
      accountId,
      kind: meta.kind === 'call' ? 'call' : 'conference',
      rateHz,
      clientState: clientStateOf(meta),
      connectionId: textOf(meta.connectionId),
      controlId: textOf(meta.controlId),
      wishes: wishesOf(meta),
      startSample,
      startedAt: new Date(recording.startedUnixMs),
      sealedKey: recording.sealedKey,
      fileOrder: parseFileOrder(meta.file),
      spoolDir: this.#options.spoolDir,
      node: this.#options.node,
    });
    await this.#insertDelivery(trx, { ...recording, accountId, conversationId });
    const row = await endRecording(trx, recordingId, {
      reason: recording.reason,
      startSample,
      endSample,
      recordedSamples,
      fileSamples,
      digit: recording.digit ?? null,
      notices: recording.notices,
      endedAt: new Date(recording.endedUnixMs),
    });
    if (row) await this.#tellEnd(trx, row, textOf(meta.conferenceName), recording.startedUnixMs);
    const toMs = (sample: number) => Math.round((sample * 1000) / rateHz);
    for (const [joinOrder, track] of recording.tracks.entries())
      await saveChannel(trx, {
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
        media: ended.stayReports?.get(track.trackId),
      });
    const onRecord = row ?? (await getRecording(trx, accountId, recordingId));
    return onRecord && endEvent(onRecord, textOf(meta.conferenceName) ?? '', recording.startedUnixMs);
  }

  /** The terminal event; there is one, because a row ends once. */
  async #tellEnd(trx: Db, row: RecordingRow, conferenceName = '', startedUnixMs?: number): Promise<void> {
    const telling = tellingOf(row.wishes);
    if (telling) await this.#tell(trx, telling, endEvent(row, conferenceName, startedUnixMs));
    await this.#options.transcripts?.recordingEnded(trx, row);
    const dead = await this.#options.deliveries?.rows.recordingEnded(trx, row);
    if (dead) await this.deliveryChanged(trx, dead, 'dead');
  }

  /** Until the row has them, a file keeps the credentials. */
  #handOver(recordingId: string, delivery: DeliveryWish | undefined): HandedCredentials | undefined {
    const { deliveries, log } = this.#options;
    if (!deliveries || delivery?.sealedCredentials === undefined) return undefined;
    try {
      deliveries.credentials.put(recordingId, delivery.sealedCredentials);
    } catch (error) {
      log.error({ error, recordingId }, 'credentials of a destination are kept by the database alone');
    }
    return deliveries.credentials;
  }

  /** Where a crash lay between the spool's header and the rows. */
  async #insertDelivery(
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

  /** What nobody else has a form for is told in ours. */
  async #tell(
    trx: Db,
    { statusUrl, dialect, fallbackUrl, signer }: Telling,
    event: RecordingChanged | RecordingDelivery | RecordingTranscript,
    eventId = newId(),
  ) {
    const { formatters, outbox } = this.#options;
    const { accountId, conversationId, kind: type } = event;
    const payload = (formatters[dialect] ?? formatters.native)?.(event);
    if (!payload) return;
    await outbox.insert(trx, {
      ...{ eventId, accountId, conversationId, type, payload, dialect, fallbackUrl, signer },
      callbackUrl: statusUrl,
    });
  }
}
