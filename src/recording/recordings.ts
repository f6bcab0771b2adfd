import { CallreelError } from '../errors.ts';
import type { RecordedLegs, RecordingControl } from '../media/command-executor.ts';
import type { RecordingConsent, RecordingNotice } from '../media/consent-control.ts';
import type { RecordingStart, WorkerEvent } from '../media/control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import { keyBytes } from '../spool/keys.ts';
import { assertFileId } from '../spool/layout.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import type { WriterMessage } from '../spool/writer.ts';
import type { Capture } from './capture.ts';
import { Recorder } from './recorder.ts';
import type { RecorderChange } from './recorder-input.ts';
import type { RecorderEndEvent } from './recorder-states.ts';

export interface RecordingsOptions {
  capture: Capture;
  spool: SpoolProducer;
  emit(event: WorkerEvent): void;
  /** Asks the writer thread; settles when everything spooled so far of the rooms can be read from disk. */
  settle?(roomIds: readonly string[]): Promise<void>;
}

const eventOf = {
  began: 'recording.started',
  paused: 'recording.paused',
  resumed: 'recording.resumed',
} as const satisfies Record<RecorderChange, WorkerEvent['event']>;

/** What the media stage's commands reach. Every recording of this worker, from its command to the writer's word that all of it is on disk. */
export class Recordings implements RecordingControl {
  readonly #options: RecordingsOptions;
  readonly #recorders = new Map<string, Recorder>();
  /** Set before the first command. */
  legs: RecordedLegs | undefined;
  /** When each of them that warns does so next. */
  readonly #warnings = new Map<Recorder, number>();
  /** Those whose beep sounds. */
  readonly #beeping = new WeakSet<Recorder>();
  /** Those whose beep is over with the slot that runs. */
  readonly #beginning = new Set<Recorder>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
    // Nobody could resume the calls that it paused any more.
    options.capture.recordingEnded = (recordingId, atUs) => options.capture.resumeCalls(recordingId, atUs);
    options.capture.callsResumed = (legIds, atUs) => this.legs?.endPause(legIds, atUs);
  }

  /** Entries the ring had no room for. */
  get ringOverflows(): number {
    return this.#options.spool.overflows;
  }

  /** What the ring holds that the writer thread did not take yet. */
  get ringWaitingBytes(): number {
    return this.#options.spool.waitingBytes;
  }

  get ringBytes(): number {
    return this.#options.spool.ringBytes;
  }

  /** What the writer thread has taken of it and not put into files. */
  get unsettledBytes(): number {
    return this.#options.spool.unsettledBytes;
  }

  get unsettledLimitBytes(): number {
    return this.#options.spool.unsettledLimitBytes;
  }

  /** Running, or ended and not yet on disk. */
  get count(): number {
    return this.#recorders.size;
  }

  /** Records the room from now on, and opens it if no one has joined yet: a recording may come before its calls. */
  start(command: RecordingStart, atUs: number): void {
    const { recordingId, roomId, accountId, rateHz, key, meta, call } = command;
    // A room has no sides: everything that is said in it is recorded.
    const options: RecorderOptions = { ...command.options, ...(!call && { direction: 'both' }) };
    assertFileId(recordingId, 'recordingId');
    assertFileId(roomId, 'roomId');
    if (Buffer.from(key.plain, 'base64').length !== keyBytes)
      throw new CallreelError('REQUEST_INVALID', 'a recording key is 32 bytes in base64', { where: 'key' });
    if (this.#recorders.has(recordingId))
      throw new CallreelError('CONFLICT', 'the recording runs already', { where: recordingId });
    const { capture, spool, emit } = this.#options;
    const room = capture.openRoom(roomId, atUs);
    const { originUs, originUnixMs } = room;
    const recorder = new Recorder({
      ...{ recordingId, roomId, accountId, rateHz, key, meta, options, originUs, originUnixMs, spool },
      changed: (change, atSample) => emit({ event: eventOf[change], recordingId, roomId, atSample }),
      noticed: (notice) => emit({ event: 'recording.noticed', recordingId, roomId, notice }),
      legs: this.legs,
    });
    recorder.start(atUs, options.consent === 'required' ? 'consent' : options.beep ? 'beep' : undefined);
    this.#recorders.set(recordingId, recorder);
    room.add(recorder, atUs);
    if (options.consent !== 'required') this.#beep(recorder, atUs);
  }

  /**
   * Consent is given: what was started with `consent: required` begins, and has those who gave it.
   * @throws CallreelError NOT_FOUND, also for a party that is not there, CONFLICT when it has ended
   */
  consent(command: Omit<RecordingConsent, 'verb'>, atUs: number): void {
    const { recordingId, given } = command;
    const recorder = this.#findRunning(recordingId);
    const { roomId } = recorder;
    const consent = this.#options.capture.room(roomId)?.consent(recorder, command, atUs);
    if (given && consent) this.#options.emit({ event: 'recording.consented', recordingId, roomId, consent });
    if (recorder.state !== 'waiting' || this.#beeping.has(recorder)) return;
    this.legs?.endPause(this.#options.capture.callsWith(recorder.roomId), atUs);
    this.#beep(recorder, atUs);
  }

  /** @throws CallreelError NOT_FOUND, CONFLICT when it has ended */
  notice({ recordingId, audio }: Omit<RecordingNotice, 'verb'>): void {
    this.#findRunning(recordingId).consents.notices?.give(audio);
  }

  /** @throws CallreelError NOT_FOUND */
  stop(recordingId: string, reason: RecorderEndEvent, atUs: number): void {
    const recorder = this.#find(recordingId);
    this.#options.capture.room(recorder.roomId)?.end(recorder, atUs, { reason });
  }

  /**
   * @param scope `call`: nothing of the call, nor of who is in one room with it, is recorded by anyone until it is resumed
   * @throws CallreelError NOT_FOUND, CONFLICT when it has ended
   */
  pause(
    recordingId: string,
    behaviour: PauseBehaviour,
    atUs: number,
    scope: 'recording' | 'call' = 'recording',
  ): void {
    const { capture } = this.#options;
    const room = capture.room(this.#findRunning(recordingId).roomId);
    room?.endLong(atUs);
    const recorder = this.#findRunning(recordingId);
    // Itself it stays paused though the calls leave its room.
    room?.pause(recorder, atUs, behaviour);
    if (scope === 'call') capture.pauseCalls(recorder.roomId, recordingId, behaviour, atUs);
  }

  /**
   * Ends both kinds of pause that this recording asked for.
   * @throws CallreelError NOT_FOUND, CONFLICT when it has ended
   */
  resume(recordingId: string, atUs: number): void {
    const recorder = this.#findRunning(recordingId);
    const { capture } = this.#options;
    capture.resumeCalls(recordingId, atUs);
    capture.room(recorder.roomId)?.resume(recorder, atUs);
  }

  slotBegins(atUs: number): void {
    for (const recorder of this.#beginning) this.#begin(recorder, atUs);
    this.#beginning.clear();
  }

  /** Once a slot. */
  slot(nowUs: number): void {
    if (this.#warnings.size === 0) return;
    for (const [recorder, dueUs] of this.#warnings) {
      if (recorder.hasEnded) this.#warnings.delete(recorder);
      else if (nowUs >= dueUs) this.#warn(recorder, nowUs);
    }
  }

  async settle(roomIds: readonly string[]): Promise<void> {
    await this.#options.settle?.(roomIds);
  }

  /** Ends whatever runs, for a reason that concerns all. */
  endAll(reason: RecorderEndEvent, atUs: number): void {
    for (const recorder of [...this.#recorders.values()])
      if (!recorder.hasEnded) this.stop(recorder.recordingId, reason, atUs);
  }

  /** Takes the writer thread's messages. */
  writerReported(message: WriterMessage): void {
    if (message.event === 'fault') this.#options.emit(message);
    else if (message.event === 'ended') this.#ended(message.recordingId);
  }

  #beep(recorder: Recorder, atUs: number): void {
    const { roomId, options } = recorder;
    if (!options.beep || !this.legs) {
      this.#begin(recorder, atUs);
      return;
    }
    this.#beeping.add(recorder);
    this.legs.playTone(roomId, 'beep', (endUs) => {
      // The last slot of the beep is not sent yet: it is not to be in the file.
      if (endUs > atUs) this.#beginning.add(recorder);
      else this.#begin(recorder, atUs);
    });
  }

  #begin(recorder: Recorder, atUs: number): void {
    const { roomId, hasEnded, options } = recorder;
    if (hasEnded) return;
    this.#options.capture.room(roomId)?.begin(recorder, atUs);
    if (options.warningToneIntervalMs !== undefined)
      this.#warnings.set(recorder, atUs + options.warningToneIntervalMs * 1000);
  }

  #warn(recorder: Recorder, nowUs: number): void {
    this.#warnings.set(recorder, nowUs + (recorder.options.warningToneIntervalMs ?? 0) * 1000);
    if (recorder.wantsMedia) this.legs?.playTone(recorder.roomId, 'warning', () => undefined);
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
    if (recorder.hasEnded)
      throw new CallreelError('CONFLICT', 'the recording has ended', { where: recordingId });
    return recorder;
  }

  #find(recordingId: string): Recorder {
    const recorder = this.#recorders.get(recordingId);
    if (!recorder) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
    return recorder;
  }
}
