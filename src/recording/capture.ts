import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type {
  CapturedDigit,
  CapturedPacket,
  CapturedSenderReport,
  CaptureSink,
  EvenStream,
  FastCapture,
  FastPathUser,
  Stay,
} from '../media/capture-sink.ts';
import { DueList } from '../media/due-list.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import { CallHolds, type HeldCalls, reachedLegs } from './call-holds.ts';
import type { CapturedStay } from './captured-stay.ts';
import { RecordedRoom } from './recorded-room.ts';

export interface CaptureOptions {
  spool: SpoolProducer;
  clock: Clock;
  /** 16 hex digits. */
  newSegmentId?: () => string;
}

/**
 * The media stage's way into the recordings, on the tick thread: what a recording wants goes into the spool's ring,
 * everything else ends here.
 */
export class Capture implements CaptureSink {
  readonly #spool: SpoolProducer;
  readonly #clock: Clock;
  readonly #newSegmentId: () => string;
  readonly #rooms = new Map<string, RecordedRoom>();
  /** In monotonic microseconds. */
  readonly #due = new DueList<RecordedRoom>();
  readonly #stays = new Map<string, CapturedStay>();
  readonly #holds = new CallHolds();
  /** The calls that a pause reaches. */
  #heldLegs: ReadonlySet<string> = new Set();
  /** Told when nothing of a recording is recorded any more; its files follow. */
  recordingEnded: ((recordingId: string, atUs: number) => void) | undefined;
  /** Told which calls were paused until now and may be recorded from here on. */
  callsResumed: ((legIds: string[], atUs: number) => void) | undefined;

  constructor({ spool, clock, newSegmentId = newId }: CaptureOptions) {
    this.#spool = spool;
    this.#clock = clock;
    this.#newSegmentId = newSegmentId;
  }

  get roomCount(): number {
    return this.#rooms.size;
  }

  /** Once a tick. */
  tick(): void {
    this.#spool.flush();
  }

  room(roomId: string): RecordedRoom | undefined {
    return this.#rooms.get(roomId);
  }

  /** The room, opened now if nothing opened it yet: its first join, or a recording that is there before. */
  openRoom(roomId: string, atUs: number): RecordedRoom {
    const existing = this.#rooms.get(roomId);
    if (existing) return existing;
    const ageUs = this.#clock.monotonicUs() - atUs;
    const room = new RecordedRoom({
      roomId,
      originUs: atUs,
      originUnixMs: this.#clock.unixMs() - Math.round(ageUs / 1000),
      spool: this.#spool,
      newSegmentId: this.#newSegmentId,
      recordingEnded: (recordingId, endUs) => this.recordingEnded?.(recordingId, endUs),
    });
    this.#rooms.set(roomId, room);
    room.due = this.#due.add(room);
    return room;
  }

  roomOpened(roomId: string, atUs: number): void {
    this.openRoom(roomId, atUs);
  }

  stayOpened(stay: Stay, atUs: number): void {
    const room = this.openRoom(stay.roomId, atUs);
    // A call that is paused takes the room with it before its first packet, and a paused room those who come.
    if (this.#holds.any) this.#applyHolds(atUs, stay);
    this.#stays.set(stay.trackId, room.stayOpened(stay, atUs));
  }

  packet(stay: Stay, packet: CapturedPacket): void {
    this.#stays.get(stay.trackId)?.packet(packet);
  }

  goesOn(stay: Stay, last: EvenStream, user: FastPathUser): FastCapture | undefined {
    return this.#stays.get(stay.trackId)?.goesOn(last, user);
  }

  digit(stay: Stay, digit: CapturedDigit): void {
    const captured = this.#stays.get(stay.trackId);
    if (!captured) return;
    captured.digit(digit);
    this.#rooms.get(stay.roomId)?.digit(stay.legId, digit, this.#clock.monotonicUs());
  }

  hold(stay: Stay, held: boolean, atUs: number): void {
    this.#stays.get(stay.trackId)?.hold(held, atUs);
  }

  senderReport(stay: Stay, report: CapturedSenderReport): void {
    this.#stays.get(stay.trackId)?.senderReport(report);
  }

  stayClosed(stay: Stay, atUs: number): void {
    this.#stays.delete(stay.trackId);
    const room = this.#rooms.get(stay.roomId);
    if (!room) return;
    room.stayClosed(stay.trackId, atUs);
    if (this.#holds.any) this.#applyHolds(atUs);
  }

  slot(nowUs: number): void {
    this.#due.visit(nowUs, (room) => room.slot(nowUs));
  }

  /**
   * Until `resumeCalls`, pauses every recording of the call that the room is of and of those in one room with it, as
   * they come and go; of a conference: of whoever is in it.
   */
  pauseCalls(roomId: string, recordingId: string, behaviour: PauseBehaviour, atUs: number): void {
    this.#holds.hold(recordingId, this.#callsOf(roomId), behaviour);
    this.#applyHolds(atUs);
  }

  /** Every call that hears, or is heard by, a call of the room. */
  callsWith(roomId: string): string[] {
    return [...new Set(reachedLegs(this.#callsOf(roomId), [...this.#rooms.values()]))];
  }

  #callsOf(roomId: string): HeldCalls {
    const legId = this.#rooms.get(roomId)?.callLegId;
    return legId === undefined ? { roomId } : { legId };
  }

  /** Ends what `pauseCalls` began for this recording. */
  resumeCalls(recordingId: string, atUs: number): void {
    if (!this.#holds.any) return;
    this.#holds.release(recordingId);
    this.#applyHolds(atUs);
  }

  /** @param arriving a stay that is about to begin */
  #applyHolds(atUs: number, arriving?: Stay): void {
    const rooms = Array.from(this.#rooms.values(), ({ roomId, legIds }) => ({
      roomId,
      legIds: arriving?.roomId === roomId ? [...legIds, arriving.legId] : legIds,
    }));
    const held = this.#holds.roomsHeld(rooms);
    const heldLegs = new Set(this.#holds.legIds);
    for (const { roomId, legIds } of rooms)
      if (held.has(roomId)) for (const legId of legIds) heldLegs.add(legId);
    const resumed = [...this.#heldLegs].filter((legId) => !heldLegs.has(legId));
    this.#heldLegs = heldLegs;
    for (const room of this.#rooms.values()) room.hold(held.get(room.roomId), atUs);
    if (resumed.length > 0) this.callsResumed?.(resumed, atUs);
  }

  roomClosed(
    roomId: string,
    atUs: number,
    reason: 'conversation_ended' | 'call_ended' = 'conversation_ended',
  ): void {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    this.#rooms.delete(roomId);
    this.#due.remove(room.due);
    for (const [trackId, { stay }] of this.#stays) if (stay.roomId === roomId) this.#stays.delete(trackId);
    room.close(atUs, reason);
    if (this.#holds.any) this.#applyHolds(atUs);
  }
}
