import type { Clock } from '../clock.ts';
import { assertNever, CallreelError } from '../errors.ts';
import type { RtpTransport } from '../rtp/transport.ts';
import type { EndReason } from '../spool/records.ts';
import type { CaptureSink } from './capture-sink.ts';
import { slotUs } from './codec-table.ts';
import type { Command, CommandReply, LegOpen, RecordingStart, WorkerEvent, WorkerStats } from './control.ts';
import { Legs } from './legs.ts';
import { Rooms } from './rooms.ts';

/** The recording stage as commands see it; what it says back comes as events. Times are monotonic microseconds. */
export interface RecordingControl {
  /** Recordings that did not end on disk yet. */
  readonly count: number;
  readonly ringOverflows: number;
  /** @throws CallreelError */
  start(command: RecordingStart, atUs: number): void;
  /** @throws CallreelError */
  stop(recordingId: string, reason: EndReason, atUs: number): void;
  /** Settles when everything spooled so far of the room can be read from disk. */
  settle(roomId: string): Promise<void>;
}

export interface CommandExecutorOptions {
  clock: Clock;
  transport: RtpTransport;
  capture: CaptureSink;
  recordings: RecordingControl;
  post(event: WorkerEvent): void;
}

/** Slots that come due together are caught up to this number; the rest of a longer stall is let go. */
const maxCaughtUpSlots = 3;

/** What a media worker does: commands change its legs and rooms, ticks move them on. */
export class CommandExecutor {
  readonly legs: Legs;
  readonly rooms: Rooms;
  readonly #options: CommandExecutorOptions;
  #lastSlot = -1;
  #draining = false;

  constructor(options: CommandExecutorOptions) {
    const { capture, clock, transport, post } = options;
    this.#options = options;
    this.rooms = new Rooms(capture, post);
    this.legs = new Legs({
      clock,
      transport,
      capture,
      post,
      leaveKeyPressed: (session) => this.rooms.leaveByKey(session, clock.monotonicUs()),
    });
  }

  /** Whether a draining worker has nothing left to do. */
  get drained(): boolean {
    return (
      this.#draining &&
      this.legs.count === 0 &&
      this.rooms.count === 0 &&
      this.#options.recordings.count === 0
    );
  }

  /** Runs every 20 ms slot that is due. */
  tick(nowUs: number): void {
    const slot = Math.floor(nowUs / slotUs);
    if (this.#lastSlot < 0) this.#lastSlot = slot;
    const missed = slot - this.#lastSlot - maxCaughtUpSlots;
    if (missed > 0) {
      this.legs.missSlots(missed);
      this.#lastSlot += missed;
    }
    for (; this.#lastSlot < slot; this.#lastSlot++) {
      this.rooms.mixSlot();
      this.legs.slot(nowUs);
    }
  }

  /**
   * Takes effect before it returns, but for the opening of a port and the settling of the spool.
   * @throws CallreelError
   */
  async execute(command: Command): Promise<CommandReply> {
    const { clock, recordings } = this.#options;
    const atUs = clock.monotonicUs();
    switch (command.verb) {
      case 'leg.open':
        return { port: await this.#openLeg(command) };
      case 'leg.negotiate':
        this.legs.negotiate(command);
        return {};
      case 'leg.close':
        this.rooms.leave(this.legs.get(command.legId), atUs);
        this.legs.close(command.legId, atUs);
        return {};
      case 'room.join':
        this.rooms.join(this.legs.get(command.legId), command, atUs);
        return {};
      case 'room.leave':
        this.rooms.leave(this.legs.get(command.legId), atUs);
        return {};
      case 'room.close':
        this.rooms.close(command.roomId, atUs);
        return {};
      case 'play.start':
        this.legs.get(command.legId).output.player.start(command);
        return {};
      case 'play.stop':
        this.legs.get(command.legId).output.player.stop(command.playId);
        return {};
      case 'digits.send':
        this.legs.get(command.legId).output.digits.send(command);
        return {};
      case 'recording.start':
        recordings.start(command, atUs);
        return {};
      case 'recording.stop':
        recordings.stop(command.recordingId, command.reason, atUs);
        return {};
      case 'spool.settle':
        await recordings.settle(command.roomId);
        return {};
      case 'worker.drain':
        this.#draining = true;
        return {};
      case 'worker.stats':
        return { stats: this.#stats() };
      default:
        return assertNever(command, 'command');
    }
  }

  #openLeg(command: LegOpen): Promise<number> {
    if (this.#draining) throw new CallreelError('DRAINING', 'this media worker takes no new calls');
    return this.legs.open(command);
  }

  #stats(): WorkerStats {
    const { transport, recordings } = this.#options;
    const { receivedPackets, sentPackets, failedSends, lateTicks, maxLatenessUs } = transport.counters;
    return {
      openPorts: this.legs.openPorts,
      legs: this.legs.count,
      rooms: this.rooms.count,
      recordings: recordings.count,
      receivedPackets,
      sentPackets,
      failedSends,
      lateTicks,
      maxLatenessUs,
      ringOverflows: recordings.ringOverflows,
    };
  }
}
