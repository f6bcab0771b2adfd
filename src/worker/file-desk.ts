import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { FileFollower } from '../render/file-follower.ts';
import { GrowingSignal } from '../render/growing-signal.ts';
import { recordingView } from '../render/recording-view.ts';
import { openRendition, type Rendition } from '../render/rendition.ts';
import { writeWholeFile } from '../render/whole-file.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import type { MasterKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool } from '../spool/reader.ts';
import type { FileFailure, FileOrder } from './file-protocol.ts';

export interface FileDeskOptions {
  spoolDir: string;
  masterKey: MasterKey;
  lossConcealment: 'on' | 'off';
  clock: Clock;
}

interface Completion {
  unwanted: boolean;
  done: Promise<void>;
}

/** What the file thread does, without the thread: every file that is written along, and those that are made whole. */
export class FileDesk {
  readonly #options: FileDeskOptions;
  readonly #followers = new Map<string, FileFollower>();
  readonly #completions = new Map<string, Completion>();

  constructor(options: FileDeskOptions) {
    this.#options = options;
  }

  follow({ conversationId, recordingId, path, format, stereo }: FileOrder): void {
    const { spoolDir, masterKey, lossConcealment, clock } = this.#options;
    const directory = conversationDirectoryOf(spoolDir, conversationId);
    const recording = new GrowingRecording(directory, recordingId, masterKey);
    const off = lossConcealment === 'off' ? lossConcealment : undefined;
    const signal = new GrowingSignal({ recording, stereo, lossConcealment: off, clock });
    this.#followers.set(recordingId, new FileFollower({ signal, path, format }));
  }

  /** @returns those that are followed no more; `complete` makes their files from the spool */
  step(recordingIds: readonly string[]): FileFailure[] {
    const failures: FileFailure[] = [];
    for (const recordingId of recordingIds) {
      try {
        this.#followers.get(recordingId)?.step();
      } catch (error) {
        this.#unfollow(recordingId);
        failures.push({ recordingId, error: asCallreelError(error).toJSON() });
      }
    }
    return failures;
  }

  /** Of each recording, those that may have something new at the next step. */
  channels(recordingIds: readonly string[]): number[] {
    return recordingIds.map((recordingId) => this.#followers.get(recordingId)?.channels ?? 0);
  }

  /**
   * @throws CallreelError FILE_UNUSABLE, CONFLICT where the recording has not ended or was given up, and what is wrong
   *   with its spool
   */
  async complete(order: FileOrder): Promise<void> {
    const { recordingId } = order;
    await this.#completions.get(recordingId)?.done.catch(() => undefined);
    const completion: Completion = { unwanted: false, done: Promise.resolve() };
    completion.done = this.#complete(order, completion);
    this.#completions.set(recordingId, completion);
    try {
      await completion.done;
    } finally {
      this.#completions.delete(recordingId);
    }
  }

  /** When it returns nothing writes to the file. */
  async abandon(recordingId: string): Promise<void> {
    this.#unfollow(recordingId);
    const completion = this.#completions.get(recordingId);
    if (!completion) return;
    completion.unwanted = true;
    await completion.done.catch(() => undefined);
  }

  async #complete(order: FileOrder, completion: Completion): Promise<void> {
    if (this.#finish(order.recordingId)) return;
    const written = await writeWholeFile(order.path, this.#rendition(order), () => completion.unwanted);
    if (!written)
      throw new CallreelError('CONFLICT', 'the file is not wanted any more', { where: order.path });
  }

  /** Along the road it was written on; what goes wrong there the whole file may do without. */
  #finish(recordingId: string): boolean {
    const follower = this.#followers.get(recordingId);
    try {
      follower?.finish();
      return follower !== undefined;
    } catch {
      return false;
    } finally {
      this.#unfollow(recordingId);
    }
  }

  #rendition({ conversationId, recordingId, format, stereo }: FileOrder): Rendition {
    const { spoolDir, masterKey, lossConcealment } = this.#options;
    const spooled = openSpool(conversationDirectoryOf(spoolDir, conversationId), recordingId, masterKey);
    const view = { ...recordingView(spooled), ...(lossConcealment === 'off' && { lossConcealment }) };
    return openRendition(view, { kind: stereo ? 'stereo' : 'mix', format });
  }

  #unfollow(recordingId: string): void {
    this.#followers.get(recordingId)?.close();
    this.#followers.delete(recordingId);
  }
}

export function asCallreelError(error: unknown): CallreelError {
  if (error instanceof CallreelError) return error;
  return new CallreelError('RENDER_FAILED', String(error), { cause: error });
}
