import type { PauseBehaviour } from '../spool/records.ts';

interface Hold {
  /** Whose pause it is. */
  recordingId: string;
  behaviour: PauseBehaviour;
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
  readonly #legs = new Map<string, Hold>();

  get any(): boolean {
    return this.#legs.size > 0;
  }

  hold(recordingId: string, legIds: readonly string[], behaviour: PauseBehaviour): void {
    for (const legId of legIds) if (!this.#legs.has(legId)) this.#legs.set(legId, { recordingId, behaviour });
  }

  /** @returns whom it held */
  release(recordingId: string): string[] {
    const legIds = [...this.#legs]
      .filter(([, hold]) => hold.recordingId === recordingId)
      .map(([legId]) => legId);
    for (const legId of legIds) this.#legs.delete(legId);
    return legIds;
  }

  forget(legId: string): void {
    this.#legs.delete(legId);
  }

  /** How the recordings of a room with these calls are paused; undefined: they are not. */
  of(legIds: readonly string[]): PauseBehaviour | undefined {
    return this.#find(legIds)?.behaviour;
  }

  /** Who is with one of them that is held is held with it. */
  spread(legIds: readonly string[]): void {
    const hold = this.#find(legIds);
    if (hold) this.hold(hold.recordingId, legIds, hold.behaviour);
  }

  #find(legIds: readonly string[]): Hold | undefined {
    for (const legId of legIds) {
      const hold = this.#legs.get(legId);
      if (hold) return hold;
    }
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
