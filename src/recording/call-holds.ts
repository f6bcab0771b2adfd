import type { PauseBehaviour } from '../spool/records.ts';

/** One call, wherever it is, or whoever is in a room. */
export type HeldCalls = { readonly legId: string } | { readonly roomId: string };

interface Hold {
  behaviour: PauseBehaviour;
  calls: HeldCalls;
}

interface RoomLegs {
  roomId: string;
  legIds: readonly string[];
}

/**
 * The calls of which nothing is recorded for now, whatever recording asks (a pause with scope `call`). At each moment
 * a pause reaches the call that is paused and those that are in one room with it then: they hear it or are heard by it.
 */
export class CallHolds {
  /** By the recording whose pause it is: a call is recorded again once none of them reaches it. */
  readonly #holds = new Map<string, Hold>();

  get any(): boolean {
    return this.#holds.size > 0;
  }

  /** The calls that were asked for by themselves, wherever they are now. */
  get legIds(): string[] {
    return [...this.#holds.values()].flatMap(({ calls }) => ('legId' in calls ? calls.legId : []));
  }

  /** Once more by the same recording: the pause stays as it was asked for first. */
  hold(recordingId: string, calls: HeldCalls, behaviour: PauseBehaviour): void {
    if (!this.#holds.has(recordingId)) this.#holds.set(recordingId, { behaviour, calls });
  }

  release(recordingId: string): void {
    this.#holds.delete(recordingId);
  }

  /** How the recordings of each room are paused now, by the first that asked; those that are not there are not. */
  roomsHeld(rooms: readonly RoomLegs[]): Map<string, PauseBehaviour> {
    const held = new Map<string, PauseBehaviour>();
    for (const { behaviour, calls } of this.#holds.values()) {
      const legIds = new Set(reachedLegs(calls, rooms));
      for (const room of rooms) {
        const isReached = isOf(calls, room) || room.legIds.some((legId) => legIds.has(legId));
        if (isReached && !held.has(room.roomId)) held.set(room.roomId, behaviour);
      }
    }
    return held;
  }
}

/** The calls that were asked for, and those in one room with them. */
export function reachedLegs(calls: HeldCalls, rooms: readonly RoomLegs[]): string[] {
  return rooms.filter((room) => isOf(calls, room)).flatMap(({ legIds }) => legIds);
}

function isOf(calls: HeldCalls, { roomId, legIds }: RoomLegs): boolean {
  return 'legId' in calls ? legIds.includes(calls.legId) : calls.roomId === roomId;
}
