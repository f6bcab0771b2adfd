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

  /** Once more by the same recording: calls that came meanwhile are held, too; the behaviour stays. */
  hold(recordingId: string, legIds: readonly string[], behaviour: PauseBehaviour): void {
    const hold = this.#holds.get(recordingId) ?? { behaviour, legIds: new Set() };
    for (const legId of legIds) hold.legIds.add(legId);
    this.#holds.set(recordingId, hold);
  }

  release(recordingId: string): void {
    this.#holds.delete(recordingId);
  }

  /** How the recordings of a room with these calls are paused, by the first that asked; undefined: they are not. */
  of(legIds: readonly string[]): PauseBehaviour | undefined {
    for (const hold of this.#holds.values())
      if (legIds.some((legId) => hold.legIds.has(legId))) return hold.behaviour;
    return undefined;
  }
}

/** The calls of the room, those in a room with one of them, and so on. */
export function connectedLegs(roomId: string, rooms: readonly RoomLegs[]): string[] {
  const reached = new Set<RoomLegs>();
  const legIds = new Set<string>();
  const waiting = rooms.filter((room) => room.roomId === roomId);
  for (let room = waiting.pop(); room; room = waiting.pop()) {
    if (reached.has(room)) continue;
    reached.add(room);
    for (const legId of room.legIds) {
      legIds.add(legId);
      waiting.push(...rooms.filter((other) => other.legIds.includes(legId)));
    }
  }
  return [...legIds];
}
