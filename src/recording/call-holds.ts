import type { PauseBehaviour } from '../spool/records.ts';

interface Hold {
  behaviour: PauseBehaviour;
  legIds: Set<string>;
}

interface RoomLegs {
  roomId: string;
  legIds: readonly string[];
}

/**
 * The calls of which nothing is recorded for now, whatever recording asks (a pause with scope `call`): what one of
 * them says is heard by all that are in a room with it, so the pause reaches as far as its voice does.
 */
export class CallHolds {
  /** By the recording whose pause it is: a call is recorded again once none of them is left. */
  readonly #holds = new Map<string, Hold>();

  get any(): boolean {
    return this.#holds.size > 0;
  }

  /** The calls that were asked for, wherever they are now. */
  get legIds(): string[] {
    return [...this.#holds.values()].flatMap(({ legIds }) => [...legIds]);
  }

  /** Once more by the same recording: calls that came meanwhile are held, too; the behaviour stays. */
  hold(recordingId: string, legIds: readonly string[], behaviour: PauseBehaviour): void {
    const hold = this.#holds.get(recordingId) ?? { behaviour, legIds: new Set() };
    for (const legId of legIds) hold.legIds.add(legId);
    this.#holds.set(recordingId, hold);
  }

  release(recordingId: string): void {
    this.#holds.delete(recordingId);
  }

  /**
   * How the recordings of each room are paused, by the first that asked; those that are not there are not. A room is
   * reached by its own calls and through those in it that are in a reached one: what a held call says is heard there.
   */
  roomsHeld(rooms: readonly RoomLegs[]): Map<string, PauseBehaviour> {
    const held = new Map<string, PauseBehaviour>();
    const byLeg = roomsByLeg(rooms);
    for (const { behaviour, legIds } of this.#holds.values())
      for (const roomId of reachedRooms(legIds, byLeg)) if (!held.has(roomId)) held.set(roomId, behaviour);
    return held;
  }
}

/** The calls of the room, those in a room with one of them, and so on. */
export function connectedLegs(roomId: string, rooms: readonly RoomLegs[]): string[] {
  const legIds = rooms.find((room) => room.roomId === roomId)?.legIds ?? [];
  const reached = reachedRooms(legIds, roomsByLeg(rooms));
  return [...new Set(rooms.filter((room) => reached.has(room.roomId)).flatMap((room) => room.legIds))];
}

type RoomsByLeg = ReadonlyMap<string, readonly RoomLegs[]>;

function roomsByLeg(rooms: readonly RoomLegs[]): RoomsByLeg {
  const byLeg = new Map<string, RoomLegs[]>();
  for (const { roomId, legIds } of rooms)
    for (const legId of legIds) {
      const known = byLeg.get(legId);
      if (known) known.push({ roomId, legIds });
      else byLeg.set(legId, [{ roomId, legIds }]);
    }
  return byLeg;
}

/** Of these calls, of those in a room with one of them, and so on. */
function reachedRooms(legIds: Iterable<string>, byLeg: RoomsByLeg): Set<string> {
  const reached = new Set<string>();
  const waiting = [...legIds].flatMap((legId) => byLeg.get(legId) ?? []);
  for (let room = waiting.pop(); room; room = waiting.pop()) {
    if (reached.has(room.roomId)) continue;
    reached.add(room.roomId);
    for (const legId of room.legIds) waiting.push(...(byLeg.get(legId) ?? []));
  }
  return reached;
}
