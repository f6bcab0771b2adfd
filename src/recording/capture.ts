import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type {
  CapturedDigit,
  CapturedPacket,
  CapturedSenderReport,
  CaptureSink,
  Stay,
} from '../media/capture-sink.ts';
import type { SpoolProducer } from '../spool/producer.ts';
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
  readonly #stays = new Map<string, CapturedStay>();

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
    });
    this.#rooms.set(roomId, room);
    return room;
  }

  roomOpened(roomId: string, atUs: number): void {
    this.openRoom(roomId, atUs);
  }

  stayOpened(stay: Stay, atUs: number): void {
    this.#stays.set(stay.trackId, this.openRoom(stay.roomId, atUs).stayOpened(stay, atUs));
  }

  packet(stay: Stay, packet: CapturedPacket): void {
    this.#stays.get(stay.trackId)?.packet(packet);
  }

  digit(stay: Stay, digit: CapturedDigit): void {
    this.#stays.get(stay.trackId)?.digit(digit);
  }

  senderReport(stay: Stay, report: CapturedSenderReport): void {
    this.#stays.get(stay.trackId)?.senderReport(report);
  }

  stayClosed(stay: Stay, atUs: number): void {
    this.#stays.delete(stay.trackId);
    this.#rooms.get(stay.roomId)?.stayClosed(stay.trackId, atUs);
  }

  roomClosed(roomId: string, atUs: number): void {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    this.#rooms.delete(roomId);
    for (const [trackId, { stay }] of this.#stays) if (stay.roomId === roomId) this.#stays.delete(trackId);
    room.close(atUs);
  }
}
