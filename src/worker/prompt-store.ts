import { hash } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import type { RecordingNotice } from '../media/consent-control.ts';
import type { PlayStart } from '../media/control.ts';
import type { WorkerMessage } from './messages.ts';

/** Four hours of different audio at 8000 Hz: far above what prompts take, far below what kills a worker. */
export const maxStoredBytes = 256 * 1024 * 1024;

interface StoredAudio {
  readonly digest: string;
  readonly samples: Int16Array;
  users: number;
}

/**
 * The audio of a media worker's prompts, each different one in memory once: a hundred legs that hear the same music
 * share it. Lives on the main thread; the tick thread reads the shared memory.
 */
export class PromptStore {
  readonly #audio = new Map<string, StoredAudio>();
  readonly #plays = new Map<string, StoredAudio>();
  /** Starts that the tick thread has not answered yet, by message. */
  readonly #unanswered = new Map<number, string>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = maxStoredBytes) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of all different audio. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Keeps the samples until the prompt has ended or was refused.
   * @returns the command with the shared samples
   * @throws CallreelError CONFLICT, PROMPTS_EXHAUSTED
   */
  keep(messageId: number, command: PlayStart): PlayStart {
    return { ...command, samples: this.#use(messageId, playKey(command), command.playId, command.samples) };
  }

  /**
   * Keeps a notice until its recording has ended or it was refused.
   * @throws CallreelError CONFLICT, PROMPTS_EXHAUSTED
   */
  keepNotice(messageId: number, command: RecordingNotice): RecordingNotice {
    if ('failure' in command.audio) return command;
    const samples = this.#use(messageId, noticeKey(command), command.recordingId, command.audio.samples);
    return { ...command, audio: { ...command.audio, samples } };
  }

  /** Takes what the tick thread says: a refused start and an ended prompt need their audio no more. */
  observe(message: WorkerMessage): void {
    if (message.kind === 'event' && message.event.event === 'play.ended')
      this.#release(playKey(message.event));
    if (message.kind === 'event' && message.event.event === 'recording.ended')
      this.#release(noticeKey(message.event));
    if (message.kind !== 'reply' && message.kind !== 'refusal') return;
    const play = this.#unanswered.get(message.id);
    this.#unanswered.delete(message.id);
    if (play !== undefined && message.kind === 'refusal') this.#release(play);
  }

  #use(messageId: number, play: string, where: string, samples: Int16Array): Int16Array {
    if (this.#plays.has(play)) throw new CallreelError('CONFLICT', 'the prompt plays already', { where });
    const audio = this.#store(samples);
    audio.users++;
    this.#plays.set(play, audio);
    this.#unanswered.set(messageId, play);
    return audio.samples;
  }

  #store(samples: Int16Array): StoredAudio {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    const digest = hash('sha256', bytes, 'base64');
    const known = this.#audio.get(digest);
    if (known) return known;
    if (this.#bytes + bytes.length > this.#maxBytes)
      throw new CallreelError(
        'PROMPTS_EXHAUSTED',
        'the prompts that play take all the memory there is for them',
      );
    const shared = new Int16Array(new SharedArrayBuffer(samples.byteLength));
    shared.set(samples);
    const audio: StoredAudio = { digest, samples: shared, users: 0 };
    this.#audio.set(digest, audio);
    this.#bytes += bytes.length;
    return audio;
  }

  #release(play: string): void {
    const audio = this.#plays.get(play);
    if (!audio) return;
    this.#plays.delete(play);
    if (--audio.users > 0) return;
    this.#audio.delete(audio.digest);
    this.#bytes -= audio.samples.byteLength;
  }
}

function playKey({ legId, playId }: { legId: string; playId: string }): string {
  return JSON.stringify([legId, playId]);
}

function noticeKey({ recordingId }: { recordingId: string }): string {
  return JSON.stringify(['', recordingId]);
}
