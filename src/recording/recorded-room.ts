import type { Stay } from '../media/capture-sink.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import type { EndReason, PauseBehaviour } from '../spool/records.ts';
import { CapturedStay } from './captured-stay.ts';
import type { Recorder } from './recorder.ts';

export interface RecordedRoomOptions {
  roomId: string;
  /** Monotonic microseconds and Unix milliseconds of position 0. */
  originUs: number;
  originUnixMs: number;
  spool: SpoolProducer;
  newSegmentId: () => string;
}

/** A room's stays and recordings, and which of the one want which of the other. */
export class RecordedRoom {
  readonly roomId: string;
  readonly originUs: number;
  readonly originUnixMs: number;
  readonly #options: RecordedRoomOptions;
  readonly #stays = new Map<string, CapturedStay>();
  readonly #recorders = new Set<Recorder>();

  constructor(options: RecordedRoomOptions) {
    this.roomId = options.roomId;
    this.originUs = options.originUs;
    this.originUnixMs = options.originUnixMs;
    this.#options = options;
  }

  stayOpened(stay: Stay, atUs: number): CapturedStay {
    const { spool, newSegmentId } = this.#options;
    const captured = new CapturedStay({ stay, startUs: atUs, originUs: this.originUs, spool, newSegmentId });
    this.#stays.set(stay.trackId, captured);
    for (const recorder of this.#recorders) this.#openTrack(recorder, captured);
    captured.want(this.#wanting(), atUs);
    return captured;
  }

  stayClosed(trackId: string, atUs: number): void {
    const captured = this.#stays.get(trackId);
    if (!captured) return;
    this.#stays.delete(trackId);
    captured.close();
    for (const recorder of this.#recorders) recorder.closeTrack(trackId, atUs);
  }

  /** A recorder that was just started. */
  add(recorder: Recorder, atUs: number): void {
    this.#recorders.add(recorder);
    for (const captured of this.#stays.values()) this.#openTrack(recorder, captured);
    this.#applyWants(atUs);
  }

  pause(recorder: Recorder, atUs: number, behaviour: PauseBehaviour): void {
    recorder.pause(atUs, behaviour);
    this.#applyWants(atUs);
  }

  resume(recorder: Recorder, atUs: number): void {
    recorder.resume(atUs);
    this.#applyWants(atUs);
  }

  /** Its segments are closed before its last lines are written. */
  end(recorder: Recorder, atUs: number, reason: EndReason): void {
    if (!recorder.end(reason === 'conversation_ended' ? reason : 'stop')) return;
    this.#applyWants(atUs);
    this.#recorders.delete(recorder);
    recorder.finish(atUs, this.originUnixMs + Math.round((atUs - this.originUs) / 1000), reason);
  }

  close(atUs: number): void {
    for (const trackId of [...this.#stays.keys()]) this.stayClosed(trackId, atUs);
    for (const recorder of [...this.#recorders]) this.end(recorder, atUs, 'conversation_ended');
  }

  #openTrack(recorder: Recorder, { isRecordable, stay, startUs }: CapturedStay): void {
    if (isRecordable) recorder.openTrack(stay.trackId, stay.party, startUs);
  }

  #applyWants(atUs: number): void {
    const wanting = this.#wanting();
    for (const captured of this.#stays.values()) captured.want(wanting, atUs);
  }

  #wanting(): Recorder[] {
    return [...this.#recorders].filter((recorder) => recorder.wantsMedia);
  }
}
