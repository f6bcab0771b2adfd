import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Leg } from './leg.ts';
import type { RecordingMaker } from './recordable-room.ts';
import { RecordedCall } from './recorded-call.ts';
import type { Recording, RecordingWishes } from './recording.ts';

/** The calls that are recorded by themselves, each until its call ended and its recordings are on record. */
export class RecordedCalls {
  readonly #clock: Clock;
  readonly #maker: RecordingMaker;
  /** By the id of their recordings' room. */
  readonly #byRoom = new Map<string, RecordedCall>();

  constructor(clock: Clock, maker: RecordingMaker) {
    this.#clock = clock;
    this.#maker = maker;
  }

  get all(): RecordedCall[] {
    return [...this.#byRoom.values()];
  }

  room(roomId: string): RecordedCall | undefined {
    return this.#byRoom.get(roomId);
  }

  /**
   * Records the call, wherever it is and goes.
   * @throws CallreelError CONFLICT before its media is open and for a control id that runs
   */
  record(leg: Leg, wishes: RecordingWishes): Recording {
    const { worker } = leg;
    if (!worker || leg.ended)
      throw new CallreelError('CONFLICT', 'the call has no media yet', { where: leg.id });
    const recorded = this.#of(leg.id) ?? this.#open(leg, worker);
    return recorded.addRecording(wishes);
  }

  /** Those of the call that run, oldest first. */
  running(legId: string): Recording[] {
    return this.#of(legId)?.recordings.filter(({ running }) => running) ?? [];
  }

  #of(legId: string): RecordedCall | undefined {
    for (const recorded of this.#byRoom.values()) if (recorded.call.legId === legId) return recorded;
    return undefined;
  }

  #open(leg: Leg, worker: MediaWorker): RecordedCall {
    const startedUnixMs = this.#clock.unixMs();
    const recorded = new RecordedCall({ leg, worker, recordings: this.#maker, startedUnixMs });
    const { conversationId } = recorded;
    this.#byRoom.set(conversationId, recorded);
    leg.addHandlers({
      ended: () => {
        const written = recorded.recordings.map((recording) => recording.whenWritten);
        void Promise.all(written).then(() => this.#byRoom.delete(conversationId));
      },
    });
    return recorded;
  }
}
