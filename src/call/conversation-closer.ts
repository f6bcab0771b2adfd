import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { recoverSpool } from '../recording/recovery.ts';
import { type RecordingSummary, summariseRecording } from '../recording/summary.ts';
import type { Conference } from './conference.ts';
import type { Directory, EndedConversation } from './directory.ts';

export interface ConversationCloserOptions {
  clock: Clock;
  log: Logger;
  directory: Directory;
  spoolDir: string;
}

/**
 * Brings conversations to their end: waits for their recordings to be on disk, reads what is there from the
 * manifests, and hands it to the directory, which writes rows and events in one transaction. A conversation whose
 * server or worker died ends by the same road.
 */
export class ConversationCloser {
  readonly #options: ConversationCloserOptions;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ConversationCloserOptions) {
    this.#options = options;
  }

  /** Ends the room in the worker and, once everything is synced, the conversation in the directory. */
  close(conference: Conference): Promise<void> {
    const closing = this.#close(conference);
    this.#closing.add(closing);
    return closing.finally(() => this.#closing.delete(closing));
  }

  async whenIdle(): Promise<void> {
    while (this.#closing.size > 0) await Promise.allSettled(this.#closing);
  }

  /**
   * Finishes what a killed process left: journals are applied, manifests without an end get one. `conversationIds`
   * limits it to a lost worker's rooms; undefined means every room of the node (at start).
   */
  async recover(conversationIds?: readonly string[]): Promise<RecordingSummary[]> {
    const recovered = await recoverSpool(this.#options.spoolDir, {
      conversationIds,
      endedUnixMs: this.#options.clock.unixMs(),
    });
    return recovered.map(({ conversationId, recordingId }) => this.#summary(conversationId, recordingId));
  }

  async #close(conference: Conference): Promise<void> {
    const { clock, log, directory } = this.#options;
    const endedUnixMs = clock.unixMs();
    const { conversationId, worker } = conference;
    // A lost worker needs no word; its recordings are ended by `recover`.
    worker.send({ verb: 'room.close', roomId: conversationId }).catch(() => undefined);
    const recordings: RecordingSummary[] = [];
    for (const recording of conference.recordings) {
      const reason = await recording.whenEnded;
      if (reason !== 'error') recordings.push(this.#summary(conversationId, recording.recordingId));
      else
        log.error({ conversationId, recordingId: recording.recordingId }, 'a recording ended with an error');
    }
    const ended: EndedConversation = {
      accountId: conference.accountId,
      conversationId,
      conferenceName: conference.name,
      dialect: conference.dialect,
      startedUnixMs: conference.startedUnixMs,
      endedUnixMs,
      eventCallbacks: [...conference.eventCallbacks],
      recordings,
      failedRecordings: conference.recordings
        .map(({ recordingId }) => recordingId)
        .filter((id) => !recordings.some(({ recordingId }) => recordingId === id)),
    };
    await directory.conversationEnded(ended);
  }

  #summary(conversationId: string, recordingId: string): RecordingSummary {
    return summariseRecording(this.#options.spoolDir, conversationId, recordingId);
  }
}
