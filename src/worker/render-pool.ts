import { Worker } from 'node:worker_threads';
import { CallreelError } from '../errors.ts';
import type { TrackMark } from '../render/track-marks.ts';
import type { Secret } from '../secret.ts';
import type {
  FoundMarks,
  RenderCommand,
  RenderReply,
  RenditionHead,
  RenditionRequest,
} from './render-protocol.ts';

export interface RenderPoolOptions {
  /** For WAV files and marks; for all, where there are no `encodeThreads`. */
  threads: number;
  /** For MP3 and MP4 files alone, that take many times as long: no other file waits for them. */
  encodeThreads?: number;
  spoolDir: string;
  masterKey: Secret<Uint8Array>;
  /** Of every file; `on` where it is not given. */
  lossConcealment?: 'on' | 'off';
}

/** What the render thread is started with. */
export interface RenderThreadData {
  spoolDir: string;
  masterKey: Uint8Array;
  lossConcealment: 'on' | 'off';
  task: RenderTask;
}

/** `plain` go before `encode`, and all of them behind calls. */
export type RenderTask = 'plain' | 'encode';

interface RenderThread {
  task: RenderTask;
  worker: Worker;
  openRenditions: number;
  hasEnded: boolean;
  waiting: Map<number, (reply: RenderReply) => void>;
}

type Question = WithoutId<Extract<RenderCommand, { verb: 'head' | 'marks' | 'recordingMarks' }>>;
type WithoutId<Command> = Command extends RenderCommand ? Omit<Command, 'id'> : never;

const threadEndedText = 'the render thread ended unexpectedly';

/** Renders on low-priority threads, so that neither signalling nor media waits for a download. */
export class RenderPool {
  readonly #options: RenderPoolOptions;
  readonly #threads: RenderThread[];
  #nextId = 1;
  #closed = false;

  constructor(options: RenderPoolOptions) {
    this.#options = options;
    const { threads, encodeThreads = 0 } = options;
    this.#threads = Array.from({ length: threads + encodeThreads }, (_, index) =>
      this.#startThread(index < threads ? 'plain' : 'encode'),
    );
  }

  /**
   * @throws CallreelError SPOOL_CORRUPT, SPOOL_KEY_MISSING, NOT_FOUND
   */
  async open(request: RenditionRequest): Promise<OpenRendition> {
    const thread = this.#leastBusy(request.format === 'wav' ? 'plain' : 'encode');
    if (thread.task === 'plain') return await this.#openOn(thread, request);
    // What a file begins with does not wait behind the encoding of others. Of one that grows it is another each time.
    const reply = await this.#askOnce({ verb: 'head', request });
    if (reply.reply !== 'head') throw unexpected(reply);
    return reply.head.complete
      ? this.#readLater(thread, request, reply.head)
      : await this.#openOn(thread, request);
  }

  /**
   * The keys and holds of a recording.
   * @throws CallreelError SPOOL_CORRUPT, SPOOL_KEY_MISSING, NOT_FOUND
   */
  async marks(conversationId: string, recordingId: string): Promise<TrackMark[]> {
    const reply = await this.#askOnce({ verb: 'marks', conversationId, recordingId });
    if (reply.reply !== 'marks') throw unexpected(reply);
    return reply.marks;
  }

  /**
   * All that happened in a recording; of one that goes on, in what is settled of it.
   * @throws CallreelError SPOOL_CORRUPT, SPOOL_KEY_MISSING, NOT_FOUND, RENDER_FAILED
   */
  async recordingMarks(conversationId: string, recordingId: string): Promise<FoundMarks> {
    const reply = await this.#askOnce({ verb: 'recordingMarks', conversationId, recordingId });
    if (reply.reply !== 'recordingMarks') throw unexpected(reply);
    return reply.found;
  }

  async #openOn(thread: RenderThread, request: RenditionRequest): Promise<OpenRendition> {
    const id = this.#nextId++;
    thread.openRenditions++;
    try {
      const reply = await this.#ask(thread, { id, verb: 'open', request });
      if (reply.reply !== 'head') throw unexpected(reply);
      return new OpenRendition(
        reply.head,
        (command) => this.#ask(thread, { ...command, id }),
        () => this.#release(thread, id),
      );
    } catch (error) {
      this.#release(thread, id);
      throw error;
    }
  }

  /** The thread opens it when it reads. */
  #readLater(thread: RenderThread, request: RenditionRequest, head: RenditionHead): OpenRendition {
    const id = this.#nextId++;
    thread.openRenditions++;
    return new OpenRendition(
      head,
      (command) => this.#ask(thread, { ...command, id, ...(command.verb === 'read' && { request }) }),
      () => this.#release(thread, id),
    );
  }

  /** Drops what the threads keep of an erased recording. */
  forget(recordingId: string): void {
    const id = this.#nextId++;
    for (const { worker } of this.#threads)
      worker.postMessage({ id, verb: 'forget', recordingId } satisfies RenderCommand);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #release(thread: RenderThread, id: number): void {
    thread.openRenditions--;
    thread.worker.postMessage({ id, verb: 'release' } satisfies RenderCommand);
  }

  #leastBusy(task: RenderTask): RenderThread {
    if (this.#closed) throw new CallreelError('DRAINING', 'the render threads are stopped');
    const own = this.#threads.filter((thread) => thread.task === task);
    return (own.length > 0 ? own : this.#threads).reduce((best, thread) =>
      thread.openRenditions < best.openRenditions ? thread : best,
    );
  }

  /** What leaves nothing open. */
  async #askOnce(question: Question): Promise<RenderReply> {
    const thread = this.#leastBusy('plain');
    thread.openRenditions++;
    try {
      return await this.#ask(thread, { ...question, id: this.#nextId++ });
    } finally {
      thread.openRenditions--;
    }
  }

  async #ask(thread: RenderThread, command: RenderCommand): Promise<RenderReply> {
    if (thread.hasEnded) throw new CallreelError('RENDER_FAILED', threadEndedText);
    const { promise, resolve } = Promise.withResolvers<RenderReply>();
    thread.waiting.set(command.id, resolve);
    thread.worker.postMessage(command);
    const reply = await promise;
    if (reply.reply === 'error')
      throw new CallreelError(reply.error.code, reply.error.message, { where: reply.error.where });
    return reply;
  }

  #startThread(task: RenderTask): RenderThread {
    const { spoolDir, masterKey, lossConcealment = 'on' } = this.#options;
    const workerData: RenderThreadData = { spoolDir, masterKey: masterKey.reveal(), lossConcealment, task };
    const worker = new Worker(new URL('./render-thread.ts', import.meta.url), {
      workerData,
      name: task === 'encode' ? 'render thread (MP3, MP4)' : 'render thread',
    });
    const thread: RenderThread = { task, worker, openRenditions: 0, hasEnded: false, waiting: new Map() };
    worker.unref();
    worker.on('message', (reply: RenderReply) => {
      const resolve = thread.waiting.get(reply.id);
      thread.waiting.delete(reply.id);
      resolve?.(reply);
    });
    worker.on('error', () => undefined);
    worker.on('exit', () => this.#threadEnded(thread));
    return thread;
  }

  /** A render thread that died fails what it was asked for and is replaced; the recording itself is untouched. */
  #threadEnded(thread: RenderThread): void {
    thread.hasEnded = true;
    const error = new CallreelError('RENDER_FAILED', threadEndedText).toJSON();
    for (const [id, resolve] of thread.waiting) resolve({ id, reply: 'error', error });
    thread.waiting.clear();
    const index = this.#threads.indexOf(thread);
    if (!this.#closed && index >= 0) this.#threads[index] = this.#startThread(thread.task);
  }
}

function unexpected(reply: RenderReply): Error {
  return new TypeError(`the render thread answered ${reply.reply}`);
}

type ReadCommand = { verb: 'read'; first: number; last: number } | { verb: 'next' };

/** One rendition being read; `release` when done with it. */
export class OpenRendition {
  readonly head: RenditionHead;
  readonly #ask: (command: ReadCommand) => Promise<RenderReply>;
  readonly #release: () => void;
  #released = false;

  constructor(head: RenditionHead, ask: (command: ReadCommand) => Promise<RenderReply>, release: () => void) {
    this.head = head;
    this.#ask = ask;
    this.#release = release;
  }

  /** The bytes from `first` to `last`, both included; one chunk is rendered ahead of what is asked for. */
  async *read(first: number, last: number): AsyncGenerator<Uint8Array, void, void> {
    const { leadingBytes } = this.head;
    let next: Promise<RenderReply> | undefined;
    try {
      const leading = leadingBytes.subarray(first, last + 1);
      const from = first + leading.length;
      if (from <= last) next = this.#askAhead({ verb: 'read', first: from, last });
      if (leading.length > 0) yield leading;
      for (let reply = await next; reply?.reply === 'chunk'; reply = await next) {
        next = this.#askAhead({ verb: 'next' });
        yield reply.chunk;
      }
    } finally {
      this.release();
    }
  }

  /** What nobody waits for any more may fail. */
  #askAhead(command: ReadCommand): Promise<RenderReply> {
    const reply = this.#ask(command);
    reply.catch(() => undefined);
    return reply;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#release();
  }
}
