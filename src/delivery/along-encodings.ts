import type { Clock, Timer } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { AlongEncoder } from '../worker/along-encoder.ts';
import type { EncodeOrder } from '../worker/encode-protocol.ts';

export interface AlongEncodingsOptions {
  clock: Clock;
  log: Logger;
  encoder: Pick<AlongEncoder, 'follow' | 'step' | 'take' | 'drop'>;
  /** As `LiveCalls.settleAll`. */
  settleAll(conversationIds: ReadonlySet<string>): Promise<ReadonlySet<string>>;
}

/** A recording that is shorter is encoded soon enough when it has ended. */
const worthwhileMs = 20 * 60_000;
const stepMs = 10_000;
/** Each has up to 32 MiB in memory. */
const maxEncodings = 8;
const againMs = 60_000;
/** The delivery of an ended recording that has not taken its file by then will make it anew. */
const keptMs = 5 * 60_000;

/**
 * MP3 files of long recordings, encoded while those go on: encoding is what takes longest at the end. They are in memory
 * only; a recording that has none for any reason is encoded at its end, to the same bytes.
 */
export class AlongEncodings {
  readonly #options: AlongEncodingsOptions;
  /** Timers of recordings that are too short yet, or that have ended. */
  readonly #timers = new Map<string, Timer>();
  readonly #followed = new Map<string, EncodeOrder>();
  #stepTimer: Timer | undefined;
  #closed = false;

  constructor(options: AlongEncodingsOptions) {
    this.#options = options;
  }

  /** From its start on. */
  follow(order: EncodeOrder): void {
    this.#after(order.recordingId, worthwhileMs, () => this.#begin(order));
  }

  /** Its end is on record: the file is to be taken soon. */
  ended(recordingId: string): void {
    if (this.#followed.has(recordingId)) this.#after(recordingId, keptMs, () => this.drop(recordingId));
    else this.drop(recordingId);
  }

  /** @returns the whole file of an ended recording, once; undefined where there is none */
  async take(recordingId: string): Promise<Uint8Array | undefined> {
    const isFollowed = this.#followed.has(recordingId);
    this.#forget(recordingId);
    if (!isFollowed) return undefined;
    return await this.#options.encoder.take(recordingId).catch(() => undefined);
  }

  /** When it returns nothing of it is kept. */
  drop(recordingId: string): void {
    const isFollowed = this.#followed.has(recordingId);
    this.#forget(recordingId);
    if (isFollowed) this.#options.encoder.drop(recordingId).catch(() => undefined);
  }

  close(): void {
    this.#closed = true;
    this.#stepTimer?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #forget(recordingId: string): void {
    this.#timers.get(recordingId)?.cancel();
    this.#timers.delete(recordingId);
    this.#followed.delete(recordingId);
  }

  #after(recordingId: string, delayMs: number, action: () => void): void {
    this.#timers.get(recordingId)?.cancel();
    if (!this.#closed) this.#timers.set(recordingId, this.#options.clock.after(delayMs, action));
  }

  #begin(order: EncodeOrder): void {
    const { recordingId } = order;
    if (this.#followed.size >= maxEncodings) {
      this.#after(recordingId, againMs, () => this.#begin(order));
      return;
    }
    this.#timers.delete(recordingId);
    this.#followed.set(recordingId, order);
    this.#options.encoder.follow(order).catch((error: unknown) => this.#failed(error));
    this.#stepTimer ??= this.#options.clock.after(0, () => this.#step());
  }

  #step(): void {
    const orders = [...this.#followed.values()];
    this.#stepTimer = undefined;
    if (orders.length === 0 || this.#closed) return;
    void this.#encode(orders)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        if (!this.#closed) this.#stepTimer ??= this.#options.clock.after(stepMs, () => this.#step());
      });
  }

  async #encode(orders: readonly EncodeOrder[]): Promise<void> {
    const { settleAll, encoder } = this.#options;
    const conversations = new Set(orders.map(({ conversationId }) => conversationId));
    const unsettled = await settleAll(conversations);
    const settled = orders.filter(({ conversationId }) => !unsettled.has(conversationId));
    await encoder.step(settled.map(({ recordingId }) => recordingId));
  }

  /** The thread has ended, and all it had with it. */
  #failed(error: unknown): void {
    if (this.#closed) return;
    this.#options.log.warn({ error }, 'files are not encoded along any more; they are at their ends');
    for (const recordingId of [...this.#followed.keys()]) this.#forget(recordingId);
  }
}
