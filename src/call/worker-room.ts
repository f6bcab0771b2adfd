import type { RoomMode, RoomMute } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { MemberOf } from './conference-member.ts';

/** A conference in its media worker: the commands that take parties in and out, and cut them off. */
export class WorkerRoom {
  readonly #worker: MediaWorker;
  readonly #roomId: string;
  readonly #mode: RoomMode;

  constructor(worker: MediaWorker, roomId: string, mode: RoomMode) {
    this.#worker = worker;
    this.#roomId = roomId;
    this.#mode = mode;
  }

  /** Rejects when the worker does not take the party. */
  async join({ leg, options, trackId, mute }: MemberOf<unknown>): Promise<void> {
    const { connectionId, from, to, direction } = leg.connection;
    await this.#worker.send({
      verb: 'room.join',
      legId: leg.id,
      roomId: this.#roomId,
      trackId,
      policy: options.policy,
      leaveKey: options.leaveKey,
      ...mute.cutOff,
      mode: this.#mode,
      party: { connectionId, from, to, direction, role: 'participant' },
    });
  }

  /** A worker that does not answer has no party any more. */
  leave(legId: string): void {
    this.#worker.send({ verb: 'room.leave', legId }).catch(() => undefined);
  }

  cutOff(legId: string, cutOff: Pick<RoomMute, 'muted' | 'deaf'>): void {
    this.#worker.send({ verb: 'room.mute', legId, ...cutOff }).catch(() => undefined);
  }
}
