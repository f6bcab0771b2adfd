import { type Clock, sleep } from '../clock.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import type { LiveCalls } from './live-calls.ts';

/** What a URL of ours is the file of. */
export type OwnFile = Pick<RenditionRequest, 'recordingId' | 'kind' | 'trackId'>;

/**
 * Which file the path of a URL of ours names, with its query; undefined for any other path.
 * @throws CallreelError LINK_INVALID, LINK_EXPIRED
 */
export type Door = (url: URL) => OwnFile | undefined;

export interface OwnRecordingsOptions {
  accountId: string;
  clock: Clock;
  db: Db;
  calls: Pick<LiveCalls, 'recording'>;
  renders: Pick<RenderPool, 'open'>;
}

/** So long a recording that just ended may take to be on disk. */
const maxEndMs = 3000;
/** Longer than what may be played, and no more is read into memory. */
const maxSeconds = 1800;
const wavHeadBytes = 44;

/** The recordings of this server, read by their URLs without a way over the network. */
export class OwnRecordings {
  readonly #options: OwnRecordingsOptions;
  #base: URL | undefined;
  #doors: readonly Door[] = [];

  constructor(options: OwnRecordingsOptions) {
    this.#options = options;
  }

  /** Once the server listens. @param publicUrl base of every URL given out */
  serve(publicUrl: string, doors: readonly Door[]): void {
    this.#base = new URL(publicUrl.endsWith('/') ? publicUrl : `${publicUrl}/`);
    this.#doors = doors;
  }

  /**
   * The file as WAV, mono unless it is one of many channels, whatever its own format.
   * @returns undefined for a URL that is not ours
   * @throws CallreelError AUDIO_UNREACHABLE while it records, AUDIO_TOO_LONG, LINK_*, NOT_FOUND, RECORDING_ERASED, and
   *   as `RenderPool.open`
   */
  async read(url: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = this.#fileOf(url);
    if (!file) return undefined;
    const { accountId, db, calls, clock, renders } = this.#options;
    const { recordingId } = file;
    const live = calls.recording(recordingId);
    // A key may have ended it, and the word of that be on its way.
    if (live) await Promise.race([live.whenWritten, sleep(clock, maxEndMs)]);
    if (live?.running)
      throw new CallreelError('AUDIO_UNREACHABLE', 'the recording goes on', { where: recordingId });
    const row = await getRecording(db, accountId, recordingId);
    if (!row) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
    if (row.erasedAt) throw new CallreelError('RECORDING_ERASED', 'it was erased', { where: recordingId });
    if (row.state !== 'ended')
      throw new CallreelError('AUDIO_UNREACHABLE', 'the recording goes on', { where: recordingId });
    const { conversationId, rateHz } = row;
    const open = await renders.open({ ...file, conversationId, format: 'wav' });
    const { byteLength } = open.head;
    if (byteLength > wavHeadBytes + maxSeconds * rateHz * 2) {
      open.release();
      throw new CallreelError('AUDIO_TOO_LONG', `more than ${maxSeconds} s`, { where: recordingId });
    }
    const bytes = new Uint8Array(byteLength);
    let at = 0;
    for await (const chunk of open.read(0, byteLength - 1)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  #fileOf(text: string): OwnFile | undefined {
    const base = this.#base;
    const url = URL.parse(text);
    if (!base || url?.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return undefined;
    const path = new URL(`/${url.pathname.slice(base.pathname.length)}${url.search}`, base);
    for (const door of this.#doors) {
      const file = door(path);
      if (file) return file;
    }
    return undefined;
  }
}
