import { CallreelError } from '../errors.ts';
import type { CapturedDigit, Stay } from '../media/capture-sink.ts';
import type { ConsentReport, RecordingConsent } from '../media/consent-control.ts';
import type { Due } from '../media/due-list.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import { aliveIntervalMs, type PauseBehaviour } from '../spool/records.ts';
import { CapturedStay } from './captured-stay.ts';
import type { Recorder } from './recorder.ts';
import type { RecorderEnd } from './recorder-states.ts';

export interface RecordedRoomOptions {
  roomId: string;
  /** Monotonic microseconds and Unix milliseconds of position 0. */
  originUs: number;
  originUnixMs: number;
  spool: SpoolProducer;
  newSegmentId: () => string;
  /** Nothing of it is recorded any more. */
  recordingEnded?: (recordingId: string, atUs: number) => void;
}

const endsByOthers: ReadonlySet<RecorderEnd['reason']> = new Set([
  'stopped',
  'conversation_ended',
  'call_ended',
  'terminator',
]);

/** Whoever ends it while its last audio is waited for comes too late: its length was over before. */
function firstEnd(recorder: Recorder, atUs: number, end: RecorderEnd): RecorderEnd {
  if (!endsByOthers.has(end.reason)) return end;
  return recorder.lengthReached(end.atSample ?? recorder.sampleAt(atUs)) ?? end;
}

/** A room's stays and recordings, and which of the one want which of the other. */
export class RecordedRoom {
  readonly roomId: string;
  readonly originUnixMs: number;
  #originUs: number;
  /** Something of the room has its position. */
  #hasCaptured = false;
  /** When recordings began, paused or went on last, after the room was opened. */
  #changedUs = Number.NEGATIVE_INFINITY;
  readonly #options: RecordedRoomOptions;
  readonly #stays = new Map<string, CapturedStay>();
  readonly #recorders = new Set<Recorder>();
  /** Some of them end by themselves. */
  #limited = false;
  #held: PauseBehaviour | undefined;
  #aliveUs = 0;
  /** When `slot` is called, monotonic microseconds. */
  due: Due | undefined;

  constructor(options: RecordedRoomOptions) {
    this.roomId = options.roomId;
    this.#originUs = options.originUs;
    this.originUnixMs = options.originUnixMs;
    this.#options = options;
  }

  get originUs(): number {
    return this.#originUs;
  }

  get legIds(): string[] {
    return [...this.#stays.values()].map(({ stay }) => stay.legId);
  }

  /** The call that is recorded by itself in it; undefined: it is a conference, or nobody came yet. */
  get callLegId(): string | undefined {
    for (const { stay } of this.#stays.values()) if (stay.side === 'heard') return stay.legId;
    return undefined;
  }

  /** One of its calls is not to be recorded now. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** @param atUs when the first of its packets came, where that is before now */
  stayOpened(stay: Stay, atUs: number): CapturedStay {
    const { spool, newSegmentId } = this.#options;
    const originUs = (): number => this.#originUs;
    if (stay.policy !== 'never') this.#beginBy(atUs);
    // There is no place for what came before the room's clock began; at position 0 it would move all that follows.
    const startUs = Math.max(atUs, this.#originUs, this.#changedUs);
    const isCut = startUs > atUs;
    const captured = new CapturedStay({ stay, startUs, isCut, originUs, spool, newSegmentId });
    this.#stays.set(stay.trackId, captured);
    for (const recorder of this.#recorders) {
      this.#openTrack(recorder, captured);
      recorder.consents.came(captured, atUs);
    }
    captured.want(this.#wanting(), startUs);
    return captured;
  }

  stayClosed(trackId: string, atUs: number): void {
    const captured = this.#stays.get(trackId);
    if (!captured) return;
    this.#stays.delete(trackId);
    this.#hasCaptured ||= captured.hasCaptured;
    captured.close();
    for (const recorder of this.#recorders) {
      recorder.consents.left(captured, atUs);
      recorder.closeTrack(trackId, atUs);
    }
  }

  /** A recorder that was just started. */
  add(recorder: Recorder, atUs: number): void {
    this.#recorders.add(recorder);
    this.#changes(atUs);
    this.#limited ||= recorder.limits.any || recorder.consents.any;
    this.due?.set(0);
    if (this.#held) recorder.pauseWithCall(atUs, this.#held);
    for (const captured of this.#stays.values()) {
      this.#openTrack(recorder, captured);
      recorder.consents.came(captured, atUs);
    }
    this.#applyWants(atUs);
  }

  pause(recorder: Recorder, atUs: number, behaviour: PauseBehaviour): void {
    this.#changes(atUs);
    recorder.pause(atUs, behaviour);
    this.#applyWants(atUs);
  }

  resume(recorder: Recorder, atUs: number): void {
    this.#changes(atUs);
    recorder.resume(atUs);
    this.#applyWants(atUs);
  }

  /**
   * Parties may be in the recording from now on.
   * @param connectionId undefined: whoever is there
   * @throws CallreelError NOT_FOUND for a party that is not there, or is in no recording at all
   */
  consent(
    recorder: Recorder,
    { given = {}, connectionId }: Pick<RecordingConsent, 'connectionId'> & { given?: object },
    atUs: number,
  ): ConsentReport {
    const stays = [...this.#stays.values()].filter(
      ({ isRecordable, stay: { party } }) =>
        isRecordable && (connectionId === undefined || party.connectionId === connectionId),
    );
    if (connectionId !== undefined && stays.length === 0)
      throw new CallreelError('NOT_FOUND', 'no such party can be in the recording', { where: connectionId });
    const said = stays.map(({ stay }) => stay).filter(({ side = 'said' }) => side === 'said');
    this.#changes(atUs);
    const report = recorder.consent(said, given, atUs);
    for (const captured of stays) this.#openTrack(recorder, captured, atUs);
    this.#applyWants(atUs);
    return report;
  }

  /** A recorder that waited. */
  begin(recorder: Recorder, atUs: number): void {
    this.#changes(atUs);
    recorder.begin(atUs);
    this.#applyWants(atUs);
  }

  /**
   * Pauses all recordings of the room, whatever each was told by itself, and those that are started meanwhile.
   * @param behaviour undefined: as each was told by itself again
   */
  hold(behaviour: PauseBehaviour | undefined, atUs: number): void {
    if (behaviour === this.#held) return;
    this.#held = behaviour;
    this.#changes(atUs);
    this.endLong(atUs);
    // As it is by then: one of them may have been the one that paused the others.
    for (const recorder of this.#recorders) recorder.pauseWithCall(atUs, this.#held);
    this.#applyWants(atUs);
  }

  /** A key of a party, after it was spooled. Only what the party itself presses is told here. */
  digit(legId: string, { digit, arrivalUs, saidUs }: CapturedDigit, atUs: number): void {
    for (const recorder of [...this.#recorders]) {
      recorder.consents.pressed(legId, atUs);
      const end = recorder.endedBy(digit, arrivalUs, saidUs);
      if (end) this.end(recorder, atUs, end);
    }
  }

  /** Once a slot, where it is due: ends what ends by itself. */
  slot(nowUs: number): void {
    if (nowUs - this.#aliveUs >= aliveIntervalMs * 1000) this.#tellAlive(nowUs);
    this.due?.set(this.#limited ? 0 : this.#aliveUs + aliveIntervalMs * 1000);
    if (!this.#limited) return;
    for (const recorder of [...this.#recorders]) {
      recorder.consents.slot(nowUs);
      const end = recorder.limitReached(nowUs);
      if (end) this.end(recorder, nowUs, end);
    }
  }

  #tellAlive(nowUs: number): void {
    this.#aliveUs = nowUs;
    for (const recorder of this.#recorders) recorder.alive(nowUs);
  }

  /** Its segments are closed before its last lines are written. */
  end(recorder: Recorder, atUs: number, given: RecorderEnd): void {
    const end = firstEnd(recorder, atUs, given);
    if (!recorder.end(end.reason)) return;
    this.#applyWants(atUs);
    this.#recorders.delete(recorder);
    const lastUs = end.atSample === undefined ? atUs : recorder.timeOf(end.atSample);
    recorder.finish(atUs, this.originUnixMs + Math.round((lastUs - this.originUs) / 1000), end);
    this.#options.recordingEnded?.(recorder.recordingId, atUs);
  }

  /** Before a pause: whose length is over by now waits for its last audio no more. */
  endLong(atUs: number): void {
    for (const recorder of [...this.#recorders]) {
      const end = recorder.lengthReached(recorder.sampleAt(atUs));
      if (end) this.end(recorder, atUs, end);
    }
  }

  close(atUs: number, reason: 'conversation_ended' | 'call_ended'): void {
    for (const trackId of [...this.#stays.keys()]) this.stayClosed(trackId, atUs);
    for (const recorder of [...this.#recorders]) this.end(recorder, atUs, { reason });
  }

  /**
   * The words of a called party may overtake its answer, with which the room was opened. While nothing has a position
   * yet the room's clock is set back to them; the Unix time in manifests is then that of the answer.
   */
  #beginBy(atUs: number): void {
    if (atUs >= this.#originUs || this.#hasCaptured || this.#changedUs > this.#originUs) return;
    for (const { hasCaptured } of this.#stays.values()) if (hasCaptured) return;
    this.#originUs = atUs;
    for (const recorder of this.#recorders) recorder.setOrigin(atUs);
  }

  #changes(atUs: number): void {
    if (atUs > this.#originUs) this.#changedUs = atUs;
  }

  #openTrack(recorder: Recorder, { isRecordable, stay, startUs }: CapturedStay, consentUs = 0): void {
    const { trackId, party, side = 'said' } = stay;
    if (isRecordable && recorder.wantsSide(side) && recorder.consents.mayRecord(party.connectionId))
      recorder.openTrack(trackId, side, party, Math.max(startUs, consentUs));
  }

  #applyWants(atUs: number): void {
    const wanting = this.#wanting();
    for (const captured of this.#stays.values()) captured.want(wanting, atUs);
  }

  #wanting(): Recorder[] {
    return [...this.#recorders].filter((recorder) => recorder.wantsMedia);
  }
}
