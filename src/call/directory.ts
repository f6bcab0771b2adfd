import type { Clock } from '../clock.ts';
import { insertConversation, setEventCallbacks } from '../database/conversations.ts';
import {
  insertRecording,
  type NewRecording,
  setRecordingEvidence,
  setRecordingFile,
  setRecordingState,
} from '../database/recordings.ts';
import type { Db, Delivery } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import type { HandedCredentials } from '../delivery/handed-credentials.ts';
import type { OutgoingEvent } from '../delivery/outbox.ts';
import type { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { FileOrder } from '../worker/file-protocol.ts';
import type { MeasuredRecording } from '../worker/quality-protocol.ts';
import type { Conference, Warning } from './conference.ts';
import { ConnectionRows } from './connection-rows.ts';
import type { EndedConversation } from './conversation-ended.ts';
import type { DeliveryWish } from './delivery-wish.ts';
import { EndRows, type EndRowsOptions } from './end-rows.ts';
import { EventRows, type EventRowsOptions } from './event-rows.ts';
import type { RecordingDelivery, RecordingTranscript } from './neutral-events.ts';
import { QualityRows } from './quality-rows.ts';
import type { Recording } from './recording.ts';
import { progressEvent, tellingOf } from './recording-events.ts';
import { wantedLocale } from './transcript-wish.ts';
import { WriteGroup } from './write-group.ts';
import { WriteQueue } from './write-queue.ts';

export interface DirectoryOptions extends EventRowsOptions, Omit<EndRowsOptions, 'events'> {
  clock: Clock;
  log: Logger;
  db: Db;
}

/** In one transaction. */
const mostEndings = 100;

/** Writes what happens on this node to PostgreSQL; the calls never wait for it. */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #writes: WriteQueue;
  readonly #events: EventRows;
  readonly #ends: EndRows;
  readonly #endings: WriteGroup<EndedConversation>;
  readonly connections: ConnectionRows;
  readonly quality: QualityRows;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#writes = new WriteQueue(options.clock, options.log);
    this.#events = new EventRows(options);
    this.#ends = new EndRows({ ...options, events: this.#events });
    const writeEnds = (all: readonly EndedConversation[]) =>
      options.outbox.transaction((trx) => this.#ends.conversations(trx, all));
    this.#endings = new WriteGroup(writeEnds, { most: mostEndings, mostGroups: 2 });
    this.connections = new ConnectionRows(options.db, this.#writes, options.clock);
    this.quality = new QualityRows(options.db, this.#writes);
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
    const about = { accountId, conversationId, conferenceName: name };
    const warned = { kind: 'conversation.warning', ...about, ...warning } as const;
    const told = this.#events.conversationEvent(warned, callback, dialect);
    if (told) this.event(told);
  }

  /** What is no change of a state of ours; it is told behind what was told of its call or conversation before. */
  event(event: Omit<OutgoingEvent, 'eventId'>): void {
    const eventId = newId();
    this.#write(event.conversationId, event.type, async () => {
      await this.#options.outbox.transaction((trx) => this.#events.insertOnce(trx, { ...event, eventId }));
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

  /** It is to be transcribed, which was not said when it was started. */
  transcriptWanted({ recordingId, conversationId, accountId }: Recording, locale: string): void {
    const startedAt = new Date(this.#options.clock.unixMs());
    const ids = { recordingId, conversationId, accountId, startedAt };
    this.#write(conversationId, 'transcript wanted', async () => {
      await this.#options.transcripts?.insert(this.#options.db, ids, locale);
    });
  }

  /** Who consented and who heard the notice, as far as that is known by now. */
  recordingEvidence({ recordingId, conversationId, consents, heardNotices }: Recording): Promise<void> {
    const evidence = { consent: structuredClone(consents), notices: [...heardNotices] };
    // In a transaction: what stays in the network when its connection is given up is no write of its own, by which
    // evidence could be lost that came later.
    return this.#writes.add(conversationId, 'recording evidence', async () => {
      await this.#options.db.transaction().execute((trx) => setRecordingEvidence(trx, recordingId, evidence));
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
        if (telling && event) await this.#events.recordingChanged(trx, telling, event, eventId);
      });
    });
  }

  /**
   * Everything of it is on disk: its row, its channels and its event in one transaction.
   * @param measured its figures, where they are known by now
   */
  recordingEnded(summary: RecordingSummary, measured?: MeasuredRecording): Promise<void> {
    const { accountId, conversationId } = summary;
    return this.#writes.add(conversationId, 'recording ended', async () => {
      await this.#options.outbox.transaction((trx) =>
        this.#ends.recordings(trx, [{ of: { accountId, conversationId, measured }, recording: summary }]),
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
      await this.#options.outbox.transaction((trx) => this.#ends.failed(trx, recordingId, endedAt));
    });
  }

  /**
   * One transaction: recordings, channels, the conversation's end and its events; those of conversations that end
   * meanwhile are one too. Whoever comes second finds it done.
   */
  conversationEnded(ended: EndedConversation): Promise<void> {
    return this.#writes.add(ended.conversationId, 'conversation ended', () => this.#endings.add(ended));
  }

  /** In the transaction of the delivery's state. */
  async deliveryChanged(trx: Db, delivery: Delivery, state: RecordingDelivery['state']): Promise<void> {
    await this.#events.deliveryChanged(trx, delivery, state);
  }

  /** In the transaction of the transcript's state. */
  async transcriptChanged(
    trx: Db,
    transcript: TranscriptRow,
    state: RecordingTranscript['state'],
  ): Promise<void> {
    await this.#events.transcriptChanged(trx, transcript, state);
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
}
