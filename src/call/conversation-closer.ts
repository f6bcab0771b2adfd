import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { recoverSpool } from '../recording/recovery.ts';
import { type RecordingSummary, readManifestAhead, summariseRecording } from '../recording/summary.ts';
import type { MasterKey } from '../spool/keys.ts';
import type { DecodedManifest } from '../spool/manifest.ts';
import type { MeasuredRecording } from '../worker/quality-protocol.ts';
import type { Conference } from './conference.ts';
import type { Directory } from './directory.ts';
import { Gathering } from './gathering.ts';
import type { Recording } from './recording.ts';

export interface ConversationCloserOptions {
  clock: Clock;
  log: Logger;
  directory: Directory;
  spoolDir: string;
  masterKey: MasterKey;
  quality?: EndQuality | undefined;
}

/** Figures of recordings at their end. */
export interface EndQuality {
  /** Those that are known already, to be written with the recording's end. */
  take(summary: RecordingSummary): MeasuredRecording | undefined;
  /** Settles when those of an ended recording are on record, or on their way with its end, or have taken too long. */
  whenMeasured(recordingId: string): Promise<void>;
}

/** So long an end waits for others that are on their way, to be written with them. */
const togetherMs = 20;

/**
 * Brings conversations to their end: waits for their recordings to be on disk, reads what is there from the
 * manifests, and hands it to the directory, which writes rows and events in one transaction. A conversation whose
 * media worker died ends by the same road.
 */
export class ConversationCloser {
  readonly #options: ConversationCloserOptions;
  readonly #closing = new Set<Promise<void>>();
  readonly #gathering: Gathering;
  /** By their ids, until their ends are written. */
  readonly #conferences = new Map<string, Conference>();
  /** Recordings whose ends are written with those of their conversations; by their ids. */
  readonly #ahead = new Map<string, DecodedManifest>();
  readonly #handedOver = new Map<string, { summary: RecordingSummary; measured: MeasuredRecording }>();

  constructor(options: ConversationCloserOptions) {
    this.#options = options;
    this.#gathering = new Gathering(options.clock, togetherMs);
  }

  /** Ends the room in the worker and, once everything is synced, the conversation in the directory. */
  close(conference: Conference): Promise<void> {
    const closing = this.#close(conference).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  /** Puts the recording's end on record once it is on disk, whether or not its conversation goes on. */
  follow(recording: Recording): void {
    const following = recording.whenEnded.then(() => this.#ended(recording));
    this.#closing.add(following);
    void following.finally(() => this.#closing.delete(following));
  }

  async whenIdle(): Promise<void> {
    while (this.#closing.size > 0) await Promise.allSettled(this.#closing);
  }

  /** Finishes the recordings of a lost worker's rooms from its journals. */
  recover(workerId: string, conversationIds: readonly string[]): void {
    const { clock, log, spoolDir, masterKey } = this.#options;
    const { finished, failures } = recoverSpool({
      spoolDirectory: spoolDir,
      masterKey,
      lostWorker: { workerId, conversationIds, lostUnixMs: clock.unixMs() },
    });
    log.warn({ workerId, recordings: finished.length }, 'finished the recordings of a lost media worker');
    for (const failure of failures) log.error(failure, 'a recording could not be finished');
  }

  async #ended(recording: Recording): Promise<void> {
    const { directory, quality } = this.#options;
    const { recordingId, conversationId } = recording;
    const summary = this.#summary(conversationId, recordingId);
    const measured = summary && quality?.take(summary);
    const conference = this.#conferences.get(conversationId);
    // Many that end at once are one transaction each instead of two.
    if (measured && conference?.recordings.every(({ endReason }) => endReason !== undefined)) {
      this.#handedOver.set(recordingId, { summary, measured });
      return;
    }
    if (summary) await directory.recordingEnded(summary, measured);
    else await directory.recordingFailed(recording);
    recording.markWritten();
  }

  async #close(conference: Conference): Promise<void> {
    const { clock } = this.#options;
    const endedUnixMs = clock.unixMs();
    const { conversationId, worker } = conference;
    this.#conferences.set(conversationId, conference);
    this.#gathering.expect(conversationId);
    // A lost worker needs no word; its recordings are ended by `recover`.
    worker.send({ verb: 'room.close', roomId: conversationId }).then(
      () => this.#readAhead(conference),
      () => undefined,
    );
    const recordings: RecordingSummary[] = [];
    const failedRecordings: string[] = [];
    for (const recording of conference.recordings) {
      await recording.whenEnded;
      const { recordingId } = recording;
      const summary =
        this.#handedOver.get(recordingId)?.summary ?? this.#summary(conversationId, recordingId);
      if (summary) recordings.push(summary);
      else failedRecordings.push(recordingId);
    }
    // What is told of it comes with its figures.
    await Promise.all(recordings.map(({ recordingId }) => this.#options.quality?.whenMeasured(recordingId)));
    await this.#gathering.ready(conversationId);
    const handedOver = conference.recordings.filter(({ recordingId }) => this.#handedOver.has(recordingId));
    const measured = new Map(
      handedOver.map(({ recordingId }) => [recordingId, this.#handedOver.get(recordingId)!.measured]),
    );
    await this.#options.directory.conversationEnded({
      accountId: conference.accountId,
      conversationId,
      conferenceName: conference.name,
      dialect: conference.dialect,
      startedUnixMs: conference.startedUnixMs,
      endedUnixMs,
      eventCallbacks: [...conference.eventCallbacks],
      recordings,
      measured,
      failedRecordings,
      endedBy: conference.endedBy,
      stayReports: conference.stayReports,
    });
    this.#conferences.delete(conversationId);
    for (const recording of handedOver) {
      this.#handedOver.delete(recording.recordingId);
      recording.markWritten();
    }
  }

  /** While the disk has its turn: most of a manifest is there long before the recording's end. */
  #readAhead({ conversationId, recordings }: Conference): void {
    for (const { recordingId, endReason } of recordings) {
      if (endReason !== undefined) continue;
      const known = readManifestAhead(this.#options.spoolDir, conversationId, recordingId);
      if (known) this.#ahead.set(recordingId, known);
    }
  }

  /** Undefined for a recording that left no manifest: it never came to life, which is logged and on record. */
  #summary(conversationId: string, recordingId: string): RecordingSummary | undefined {
    const known = this.#ahead.get(recordingId);
    this.#ahead.delete(recordingId);
    try {
      return summariseRecording(this.#options.spoolDir, conversationId, recordingId, known);
    } catch (error) {
      this.#options.log.error({ error, conversationId, recordingId }, 'a recording has no whole manifest');
      return undefined;
    }
  }
}
