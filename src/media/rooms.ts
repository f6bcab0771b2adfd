import { CallreelError } from '../errors.ts';
import type { CaptureSink, Stay } from './capture-sink.ts';
import type { RoomJoin, RoomMute, WorkerEvent } from './control.ts';
import { DueList } from './due-list.ts';
import type { MediaSession } from './media-session.ts';
import { Room } from './room.ts';
import { SlotCount } from './slot-count.ts';

/** The rooms of this worker. A room opens at its first join and stays, empty or not, until it is closed. */
export class Rooms {
  readonly #capture: CaptureSink;
  readonly #post: (event: WorkerEvent) => void;
  readonly #rooms = new Map<string, Room>();
  readonly #slots = new SlotCount();
  /** By the slots that passed. */
  readonly #due = new DueList<Room>();
  #opened = 0;

  constructor(capture: CaptureSink, post: (event: WorkerEvent) => void) {
    this.#capture = capture;
    this.#post = post;
  }

  get count(): number {
    return this.#rooms.size;
  }

  /** @throws CallreelError CONFLICT when the leg is in a room already */
  join(session: MediaSession, command: RoomJoin, atUs: number): void {
    const {
      roomId,
      legId,
      trackId,
      policy,
      party,
      leaveKey,
      mode = 'mix',
      muted = false,
      deaf = false,
    } = command;
    if (session.stay) throw new CallreelError('CONFLICT', `the leg is in the room ${session.stay.roomId}`);
    const sinceUs = Math.min(atUs, session.earlySinceUs(atUs));
    let room = this.#rooms.get(roomId);
    if (!room) {
      room = new Room(roomId, this.#slots, this.#opened++);
      room.resting.due = this.#due.add(room);
      this.#rooms.set(roomId, room);
      this.#capture.roomOpened(roomId, sinceUs);
    }
    const stay: Stay = { trackId, roomId, legId, policy, party, muted, deaf };
    this.#capture.stayOpened(stay, sinceUs);
    session.enter(stay, leaveKey);
    room.add(session, mode);
    session.admitEarly();
  }

  /** Who is in it. */
  sessions(roomId: string): MediaSession[] {
    return this.#rooms.get(roomId)?.sessions() ?? [];
  }

  /** A recording of a call in the room begins. */
  callCaptured({ stay }: MediaSession): void {
    if (stay) this.#rooms.get(stay.roomId)?.withhold();
  }

  /** What these legs said before is in nothing that is mixed from here on. */
  forgetAudio(legIds: readonly string[]): void {
    for (const room of this.#rooms.values()) if (room.has(legIds)) room.forgetAudio();
  }

  /** Nothing happens when the leg is in no room: it may just have left by its key. */
  leave(session: MediaSession, atUs: number): void {
    const stay = session.exit(atUs);
    if (!stay) return;
    this.#rooms.get(stay.roomId)?.remove(session);
    this.#capture.stayClosed(stay, atUs);
  }

  mute(session: MediaSession, { muted, deaf }: RoomMute): void {
    const { stay } = session;
    if (!stay) return;
    // What was said while nobody was to hear it is not heard afterwards.
    if (stay.muted && !muted) session.playout.clear();
    stay.muted = muted;
    stay.deaf = deaf;
    session.muteChanged();
    this.#rooms.get(stay.roomId)?.muteChanged(session);
  }

  leaveByKey(session: MediaSession, atUs: number): void {
    const { stay } = session;
    if (!stay) return;
    this.leave(session, atUs);
    this.#post({ event: 'stay.left', legId: stay.legId, trackId: stay.trackId, roomId: stay.roomId });
  }

  /** The capture stage hears of it even where nobody ever joined: a recording may have been waiting. */
  close(roomId: string, atUs: number): void {
    for (const session of this.#rooms.get(roomId)?.sessions() ?? []) this.leave(session, atUs);
    this.#due.remove(this.#rooms.get(roomId)?.resting.due);
    this.#rooms.delete(roomId);
    this.#capture.roomClosed(roomId, atUs);
  }

  mixSlot(): void {
    this.#due.visit(this.#slots.passed, (room) => room.slot());
    this.#slots.end();
  }
}
