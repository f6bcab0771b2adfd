import type { LiveCalls } from './call/live-calls.ts';
import { getRecording } from './database/recordings.ts';
import type { Db } from './database/schema.ts';
import type { RecordingLinks } from './dialects/signalwire/recording-link.ts';
import { CallreelError } from './errors.ts';
import type { RenderPool } from './worker/render-pool.ts';

export interface OwnRecordingsOptions {
  accountId: string;
  db: Db;
  links: RecordingLinks;
  renders: Pick<RenderPool, 'open'>;
  calls: Pick<LiveCalls, 'settle'>;
  /** Of a file. */
  maxBytes: number;
  publicUrl(): string;
}

/** Reads recordings of this server for whoever plays them by their URLs: they are whole the moment a stop is done. */
export class OwnRecordings {
  readonly #options: OwnRecordingsOptions;

  constructor(options: OwnRecordingsOptions) {
    this.#options = options;
  }

  /**
   * The mix as WAV, whatever format the URL gives.
   * @returns undefined for a URL that is no valid link to a recording of ours
   * @throws CallreelError AUDIO_UNREACHABLE before its end and when it is erased, AUDIO_TOO_LONG
   */
  async read(url: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { accountId, db, links, publicUrl } = this.#options;
    const recordingId = links.recordingOf(url, publicUrl());
    if (recordingId === undefined) return undefined;
    const row = await getRecording(db, accountId, recordingId);
    if (row?.state === 'ended' && !row.erasedAt) return await this.#wav(row);
    throw new CallreelError('AUDIO_UNREACHABLE', 'the recording is not there to be played', {
      where: recordingId,
    });
  }

  async #wav({ conversationId, recordingId }: { conversationId: string; recordingId: string }) {
    const { renders, calls, maxBytes } = this.#options;
    await calls.settle(conversationId);
    const ids = { conversationId, recordingId };
    const open = await renders.open({ ...ids, kind: 'mix', trackId: undefined, format: 'wav' });
    const { byteLength } = open.head;
    if (byteLength > maxBytes) {
      open.release();
      throw new CallreelError('AUDIO_TOO_LONG', `the recording has more than ${maxBytes} bytes`, {
        where: recordingId,
      });
    }
    const bytes = new Uint8Array(byteLength);
    let at = 0;
    for await (const chunk of open.read(0, byteLength - 1)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}
