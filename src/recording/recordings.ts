import { CallreelError } from '../errors.ts';
import type { RecordingControl } from '../media/command-executor.ts';
import type { RecordingStart, WorkerEvent } from '../media/control.ts';
import { keyBytes } from '../spool/keys.ts';
import { assertFileId } from '../spool/layout.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import type { EndReason, PauseBehaviour } from '../spool/records.ts';
import type { WriterMessage } from '../spool/writer.ts';
import type { Capture } from './capture.ts';
import { Recorder } from './recorder.ts';

export interface RecordingsOptions {
  capture: Capture;
  spool: SpoolProducer;
  emit(event: WorkerEvent): void;
  /** Asks the writer thread; settles when everything spooled so far of the room can be read from disk. */
  settle?(roomId: string): Promise<void>;
}

/** What the media stage's commands reach. Every recording of this worker, from its command to the writer's word that all of it is on disk. */
export class Recordings implements RecordingControl {
  readonly #options: RecordingsOptions;
  readonly #recorders = new Map<string, Recorder>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** Entries the ring had no room for. */
  get ringOverflows(): number {
    return this.#options.spool.overflows;
  }

  /** Running, or ended and not yet on disk. */
  get count(): number {
    return this.#recorders.size;
  }

  /** Records the room from now on, and opens it if no one has joined yet: a recording may come before its calls. */
  start(command: RecordingStart, atUs: number): void {
    const { recordingId, roomId, accountId, rateHz, key, meta } = command;
    assertFileId(recordingId, 'recordingId');
    assertFileId(roomId, 'roomId');
    if (Buffer.from(key.plain, 'base64').length !== keyBytes)
      throw new CallreelError('REQUEST_INVALID', 'a recording key is 32 bytes in base64', { where: 'key' });
    if (this.#recorders.has(recordingId))
      throw new CallreelError('CONFLICT', 'the recording runs already', { where: recordingId });
    const { capture, spool, emit } = this.#options;
    const room = capture.openRoom(roomId, atUs);
    const { originUs, originUnixMs } = room;
    const options = { recordingId, roomId, accountId, rateHz, key, meta, originUs, originUnixMs, spool };
    const recorder = new Recorder(options);
    recorder.start(atUs);
    this.#recorders.set(recordingId, recorder);
    room.add(recorder, atUs);
    emit({ event: 'recording.started', recordingId, roomId });
  }

  /** @throws CallreelError NOT_FOUND */
  stop(recordingId: string, reason: EndReason, atUs: number): void {
    const recorder = this.#find(recordingId);
    this.#options.capture.room(recorder.roomId)?.end(recorder, atUs, reason);
  }

  /** @throws CallreelError NOT_FOUND, CONFLICT when it has ended */
  pause(recordingId: string, behaviour: PauseBehaviour, atUs: number): void {
    const recorder = this.#findRunning(recordingId);
    this.#options.capture.room(recorder.roomId)?.pause(recorder, atUs, behaviour);
  }

  /** @throws CallreelError NOT_FOUND, CONFLICT when it has ended */
  resume(recordingId: string, atUs: number): void {
    const recorder = this.#findRunning(recordingId);
    this.#options.capture.room(recorder.roomId)?.resume(recorder, atUs);
  }

  async settle(roomId: string): Promise<void> {
    await this.#options.settle?.(roomId);
  }

  /** Ends whatever runs, for a reason that concerns all. */
  endAll(reason: EndReason, atUs: number): void {
    for (const { state, recordingId } of [...this.#recorders.values()])
      if (state !== 'ended') this.stop(recordingId, reason, atUs);
  }

  /** Takes the writer thread's messages. */
  writerReported(message: WriterMessage): void {
    if (message.event === 'fault') this.#options.emit(message);
    else if (message.event === 'ended') this.#ended(message.recordingId);
  }

  #ended(recordingId: string): void {
    const recorder = this.#recorders.get(recordingId);
    if (!recorder?.endReason) return;
    this.#recorders.delete(recordingId);
    const { roomId, endReason: reason } = recorder;
    this.#options.emit({ event: 'recording.ended', recordingId, roomId, reason });
  }

  #findRunning(recordingId: string): Recorder {
    const recorder = this.#find(recordingId);
    if (recorder.state === 'ended')
      throw new CallreelError('CONFLICT', 'the recording has ended', { where: recordingId });
    return recorder;
  }

  #find(recordingId: string): Recorder {
    const recorder = this.#recorders.get(recordingId);
    if (!recorder) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
    return recorder;
  }
}
