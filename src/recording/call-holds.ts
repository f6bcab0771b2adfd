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

  /** Holds every call that hears, or is heard by, a call of the room. */
  hold(recordingId: string, roomId: string, rooms: readonly RoomLegs[], behaviour: PauseBehaviour): void {
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
    for (const legId of legIds) if (!this.#legs.has(legId)) this.#legs.set(legId, { recordingId, behaviour });
  }

  release(recordingId: string): void {
    for (const [legId, hold] of this.#legs) if (hold.recordingId === recordingId) this.#legs.delete(legId);
  }

  forget(legId: string): void {
    this.#legs.delete(legId);
  }

  /** How the recordings of a room with these calls are paused; undefined: they are not. */
  of(legIds: readonly string[]): PauseBehaviour | undefined {
    for (const legId of legIds) {
      const hold = this.#legs.get(legId);
      if (hold) return hold.behaviour;
    }
    return undefined;
  }
}
