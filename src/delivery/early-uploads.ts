import type { Clock, Timer } from '../clock.ts';
import { changeDelivery, deliveryOfRecording } from '../database/deliveries.ts';
import type { Delivery } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import {
  type DeliveryUploadOptions,
  digestOf,
  objectOf,
  openDeliveryDestination,
  renditionOf,
} from './delivery-upload.ts';
import type { Destination } from './destinations/destination.ts';
import { type KeptUpload, parseKeptUpload } from './kept-upload.ts';
import { RenditionSource } from './rendition-source.ts';

export interface EarlyUploadsOptions extends DeliveryUploadOptions {
  /** By which recordings grow. */
  clock: Clock;
  log: Logger;
  /** Makes visible what is spooled of a conversation. */
  settle(conversationId: string): Promise<void>;
  /** Of all destinations; what is expected where it is not known yet. */
  partBytes?: number;
  concurrency?: number;
}

/** A recording that goes on. */
export interface LongRecording {
  recordingId: string;
  conversationId: string;
  rateHz: number;
  channels: 1 | 2;
}

interface Followed extends LongRecording {
  timer: Timer | undefined;
  abort: AbortController;
  look: Promise<void>;
}

/** A recording that is shorter is sent soon enough when it has ended. */
const worthwhileParts = 2;
/** When others are sent, or a storage does not take it. */
const againMs = 15_000;
const mebibyte = 1024 * 1024;

/**
 * Sends the parts of a WAV file that can not change any more while its recording still goes on, all but the first: that
 * has the length. What was sent is compared with the file when the recording has ended.
 *
 *     every 8 MiB: settle the spool -> rendition of what is there -> part 2, 3 ... -> receipt and digest to the row
 */
export class EarlyUploads {
  readonly #options: EarlyUploadsOptions & { partBytes: number; concurrency: number };
  readonly #followed = new Map<string, Followed>();
  #looking = 0;

  constructor(options: EarlyUploadsOptions) {
    this.#options = { partBytes: 8 * mebibyte, concurrency: 2, ...options };
  }

  /** From its start on. */
  follow(recording: LongRecording): void {
    const followed: Followed = {
      ...recording,
      timer: undefined,
      abort: new AbortController(),
      look: Promise.resolve(),
    };
    this.#followed.set(recording.recordingId, followed);
    this.#arm(followed, worthwhileParts * this.#msOfPart(recording));
  }

  /** When it returns nothing more is sent, and what was is on record. */
  async stop(recordingId: string): Promise<void> {
    const followed = this.#followed.get(recordingId);
    if (!followed) return;
    followed.timer?.cancel();
    followed.abort.abort(new CallreelError('CONFLICT', 'the recording has ended', { where: recordingId }));
    await followed.look;
    this.#followed.delete(recordingId);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#followed.keys()].map((recordingId) => this.stop(recordingId)));
  }

  #msOfPart({ rateHz, channels }: LongRecording): number {
    return Math.ceil((this.#options.partBytes * 1000) / (rateHz * channels * 2));
  }

  #arm(followed: Followed, delayMs: number): void {
    if (followed.abort.signal.aborted) return;
    followed.timer = this.#options.clock.after(delayMs, () => {
      if (this.#looking >= this.#options.concurrency) return this.#arm(followed, againMs);
      this.#looking++;
      followed.look = this.#look(followed).finally(() => {
        this.#looking--;
      });
    });
  }

  async #look(followed: Followed): Promise<void> {
    const { recordingId } = followed;
    let nextMs = this.#msOfPart(followed);
    try {
      await this.#send(followed);
    } catch (error) {
      if (followed.abort.signal.aborted) return;
      nextMs = Math.max(nextMs, againMs);
      this.#options.log.warn({ recordingId, error }, 'parts of a recording that goes on could not be sent');
    }
    this.#arm(followed, nextMs);
  }

  async #send({ recordingId, conversationId, abort: { signal } }: Followed): Promise<void> {
    const { db, renders, settle } = this.#options;
    const row = await deliveryOfRecording(db, recordingId);
    if (row?.state !== 'waiting') return;
    await settle(conversationId);
    const source = await RenditionSource.openGrowing(renders, renditionOf(row));
    const destination = await openDeliveryDestination(row, this.#options);
    try {
      await this.#sendParts(row, source, destination, signal);
    } finally {
      await source.close();
      destination.close();
    }
  }

  async #sendParts(
    row: Delivery,
    source: RenditionSource,
    destination: Destination,
    signal: AbortSignal,
  ): Promise<void> {
    const { partBytes, maxParts } = destination;
    const last = Math.min(Math.floor(source.bytes / partBytes), maxParts);
    const object = objectOf(row);
    let state = parseKeptUpload(row.upload);
    for (let part = 2; part <= last; part++) {
      if (state?.receipts[part] !== undefined) continue;
      signal.throwIfAborted();
      const content = await source.read((part - 1) * partBytes, part * partBytes);
      state ??= await this.#begin(row, destination, signal);
      const { receipts, early, uploadId } = state;
      try {
        const receipt = await destination.putPart({ ...object, uploadId }, part, content, signal);
        state = {
          ...state,
          receipts: { ...receipts, [part]: receipt },
          early: { ...early, [part]: digestOf(content) },
        };
        await this.#keep(row, state);
      } catch (error) {
        if (error instanceof CallreelError && error.code === 'DESTINATION_UPLOAD_LOST')
          await this.#keep(row, null);
        throw error;
      }
    }
  }

  async #begin(row: Delivery, destination: Destination, signal: AbortSignal): Promise<KeptUpload> {
    const { rendering } = this.#options;
    const uploadId = await destination.beginUpload(objectOf(row), signal);
    const state: KeptUpload = { uploadId, receipts: {}, rendering, early: {} };
    const kept = await this.#keep(row, state);
    if (kept?.state === 'waiting') return state;
    // Abandoned meanwhile, when nothing was to be cleaned up yet.
    await destination.abortUpload({ ...objectOf(row), uploadId }, AbortSignal.timeout(againMs));
    await this.#keep(row, null);
    throw new CallreelError('CONFLICT', 'the recording has ended', { where: row.recordingId });
  }

  async #keep({ deliveryId }: Delivery, upload: KeptUpload | null): Promise<Delivery | undefined> {
    return await changeDelivery(this.#options.db, deliveryId, { upload });
  }
}
