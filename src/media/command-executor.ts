import type { Clock } from '../clock.ts';
import { assertNever, CallreelError } from '../errors.ts';
import type { RtpTransport } from '../rtp/transport.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import type { CaptureSink } from './capture-sink.ts';
import { slotUs } from './codec-table.ts';
import type { RecordingConsent, RecordingNotice } from './consent-control.ts';
import type {
  CallCapture,
  Command,
  CommandReply,
  LegOpen,
  PlayStart,
  ProcessUsage,
  RecordingStart,
  RecordingStop,
  WorkerEvent,
  WorkerStats,
} from './control.ts';
import { encodingCount } from './encoding-count.ts';
import { Legs } from './legs.ts';
import { type ListenStart, maxListeners } from './listen-control.ts';
import type { MediaSession } from './media-session.ts';
import type { OverlayToneKind } from './overlay-tone.ts';
import type { PlayListener } from './player.ts';
import { Rooms } from './rooms.ts';

/** What the recording stage asks of the media stage. */
export interface RecordedLegs {
  /**
   * A beep to the party whose call it is, a warning to everybody who hears or is heard in it.
   * @param roomId as the recording has it
   * @param ended told the moment at which the first of them has heard it all; at once where nobody is there, or is
   * any more
   */
  playTone(roomId: string, kind: OverlayToneKind, ended: (atUs: number) => void): void;
  /**
   * What these legs said before this moment and nobody heard yet is not heard any more, nor what of it is still on its
   * way: it was said while nothing was to be recorded.
   */
  endPause(legIds: readonly string[], atUs: number): void;
  /**
   * Plays to one leg, whatever room it is in. `ended` is told of a stop too.
   * @throws CallreelError where the leg does not take it
   */
  play(prompt: PlayStart, ended: PlayListener): { stop(): void; playedMs(): number };
  /** Whether the peer sends, and so hears what it is sent. */
  sends(legId: string): boolean;
}

/** The recording stage as commands see it; what it says back comes as events. Times are monotonic microseconds. */
export interface RecordingControl {
  /** Recordings that did not end on disk yet. */
  readonly count: number;
  readonly ringOverflows: number;
  readonly ringWaitingBytes: number;
  readonly ringBytes: number;
  readonly unsettledBytes: number;
  readonly unsettledLimitBytes: number;
  /** @throws CallreelError */
  start(command: RecordingStart, atUs: number): void;
  /** @throws CallreelError */
  stop(recordingId: string, reason: RecordingStop['reason'], atUs: number): void;
  /** @throws CallreelError */
  pause(recordingId: string, behaviour: PauseBehaviour, atUs: number, scope: 'recording' | 'call'): void;
  /** @throws CallreelError */
  resume(recordingId: string, atUs: number): void;
  /** @throws CallreelError */
  consent(command: Omit<RecordingConsent, 'verb'>, atUs: number): void;
  /** @throws CallreelError */
  notice(command: Omit<RecordingNotice, 'verb'>): void;
  /** Before anything is sent in the slot of this moment: what was to begin with it begins. */
  slotBegins(atUs: number): void;
  /** Once a slot of 20 ms. */
  slot(nowUs: number): void;
  /** Set before the first command. */
  legs: RecordedLegs | undefined;
  /** Settles when everything spooled so far of the rooms can be read from disk. */
  settle(roomIds: readonly string[]): Promise<void>;
}

export interface CommandExecutorOptions {
  clock: Clock;
  transport: RtpTransport;
  capture: CaptureSink;
  recordings: RecordingControl;
  usage(): ProcessUsage;
  post(event: WorkerEvent): void;
}

/** Slots that come due together are caught up to this number; the rest of a longer stall is let go. */
const maxCaughtUpSlots = 3;

/** What a media worker does: commands change its legs and rooms, ticks move them on. */
export class CommandExecutor {
  readonly legs: Legs;
  readonly rooms: Rooms;
  readonly #options: CommandExecutorOptions;
  readonly #slotTime = { atUs: 0 };
  #lastSlot = -1;
  #draining = false;
  /** By who ran on this thread before. */
  readonly #encodedBefore = encodingCount.slots;

  constructor(options: CommandExecutorOptions) {
    const { capture, clock, transport, post } = options;
    this.#options = options;
    this.rooms = new Rooms(capture, post);
    this.legs = new Legs({
      clock,
      slotTime: this.#slotTime,
      transport,
      capture,
      post,
      leaveKeyPressed: (legId) => this.rooms.leaveByKey(this.legs.get(legId), clock.monotonicUs()),
    });
    options.recordings.legs = {
      playTone: (...tone) => this.#playTone(...tone),
      endPause: (legIds, atUs) => {
        for (const legId of legIds) this.legs.find(legId)?.endPause(atUs);
        this.rooms.forgetAudio(legIds);
      },
      play: (prompt, ended) => {
        const { player } = this.legs.get(prompt.legId).output;
        player.start(prompt, ended);
        return { stop: () => player.stop(prompt.playId), playedMs: () => player.playedMs(prompt.playId) };
      },
      sends: (legId) => this.legs.find(legId)?.hasHeard ?? false,
    };
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
      // What came within the slot is sent at its end.
      this.#slotTime.atUs = (this.#lastSlot + 1) * slotUs;
      this.#options.recordings.slotBegins(this.#slotTime.atUs);
      this.rooms.mixSlot();
      this.legs.slot(nowUs);
      this.#options.capture.slot(nowUs);
      this.#options.recordings.slot(nowUs);
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
        this.#endCallCapture(command.legId, atUs);
        this.legs.close(command.legId, atUs);
        return {};
      case 'room.join':
        this.rooms.join(this.legs.get(command.legId), command, atUs);
        return {};
      case 'room.leave':
        this.rooms.leave(this.legs.get(command.legId), atUs);
        return {};
      case 'room.mute':
        this.rooms.mute(this.legs.get(command.legId), command);
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
        this.#startRecording(command, atUs);
        return {};
      case 'recording.stop':
        recordings.stop(command.recordingId, command.reason, atUs);
        return {};
      case 'recording.pause':
        recordings.pause(command.recordingId, command.behaviour, atUs, command.scope);
        return {};
      case 'recording.resume':
        recordings.resume(command.recordingId, atUs);
        return {};
      case 'recording.consent':
        recordings.consent(command, atUs);
        return {};
      case 'recording.notice':
        recordings.notice(command);
        return {};
      case 'leg.key':
        this.legs.get(command.legId).key(command.digit);
        return {};
      case 'listen.start':
        this.#listen(command);
        return {};
      case 'listen.arm':
        this.legs.get(command.legId).ears.arm(command.listenId);
        return {};
      case 'listen.stop':
        this.legs.get(command.legId).ears.stop(command.listenId);
        return {};
      case 'spool.settle':
        await recordings.settle(command.roomIds);
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

  #listen(command: ListenStart): void {
    if (this.legs.listening >= maxListeners)
      throw new CallreelError('LISTENERS_EXHAUSTED', `${maxListeners} calls are listened to`, {
        where: command.legId,
      });
    this.legs.get(command.legId).ears.listen(command);
  }

  #startRecording(command: RecordingStart, atUs: number): void {
    const { call, roomId } = command;
    const session = call && this.legs.get(call.legId);
    let startUs = atUs;
    if (session && session.callRoomId === undefined) startUs = this.#captureCall(session, call, roomId, atUs);
    else if (session && session.callRoomId !== roomId)
      throw new CallreelError('CONFLICT', 'the call is recorded in another room', { where: roomId });
    this.#options.recordings.start(command, startUs);
  }

  /** @returns when it begins: with the first word that nobody heard yet, where that is before now */
  #captureCall(session: MediaSession, call: CallCapture, roomId: string, atUs: number): number {
    const { capture } = this.#options;
    const { legId, saidTrackId, heardTrackId, party } = call;
    const sinceUs = Math.min(atUs, session.earlySinceUs(atUs));
    const stay = { roomId, legId, policy: 'record', party } as const;
    const said = { ...stay, trackId: saidTrackId };
    const heard = { ...stay, trackId: heardTrackId, side: 'heard' } as const;
    capture.stayOpened(said, sinceUs);
    capture.stayOpened(heard, sinceUs);
    session.captureCall(said, heard);
    this.rooms.callCaptured(session);
    return sinceUs;
  }

  #endCallCapture(legId: string, atUs: number): void {
    const session = this.legs.find(legId);
    const roomId = session?.callRoomId;
    if (roomId === undefined) return;
    session?.endCallCapture();
    this.#options.capture.roomClosed(roomId, atUs, 'call_ended');
  }

  #playTone(roomId: string, kind: OverlayToneKind, ended: (atUs: number) => void): void {
    const caller = this.legs.ofCallRoom(roomId);
    const near = caller?.stay ? this.rooms.sessions(caller.stay.roomId) : [];
    const sessions = caller
      ? kind === 'beep'
        ? [caller]
        : [caller, ...near.filter((each) => each !== caller)]
      : this.rooms.sessions(roomId);
    let waiting = sessions.length;
    let isOver = false;
    const over = (atUs: number): void => {
      if (!isOver) ended(atUs);
      isOver = true;
    };
    const nowUs = (): number => this.#options.clock.monotonicUs();
    if (waiting === 0) over(nowUs());
    for (const { output } of sessions)
      output.tone.start(kind, (atUs) => {
        waiting--;
        if (atUs !== undefined) over(atUs);
        else if (waiting === 0) over(nowUs());
      });
  }

  #stats(): WorkerStats {
    const { transport, recordings, usage } = this.#options;
    const { receivedPackets, sentPackets, failedSends, sendOverflows, lateTicks, maxLatenessUs, histogram } =
      transport.counters;
    return {
      driver: transport.driver,
      driverNote: transport.note,
      openPorts: this.legs.openPorts,
      legs: this.legs.count,
      rooms: this.rooms.count,
      recordings: recordings.count,
      receivedPackets,
      sentPackets,
      failedSends,
      sendOverflows,
      waitingSends: transport.waitingSends ?? 0,
      droppedDatagrams: transport.counters.droppedDatagrams,
      socketErrors: transport.counters.socketErrors,
      encodedSlots: encodingCount.slots - this.#encodedBefore,
      lateTicks,
      maxLatenessUs,
      latenessCounts: histogram?.counts ?? [],
      latenessSumUs: histogram?.sumUs ?? 0,
      ringOverflows: recordings.ringOverflows,
      ringWaitingBytes: recordings.ringWaitingBytes,
      ringBytes: recordings.ringBytes,
      unsettledBytes: recordings.unsettledBytes,
      unsettledLimitBytes: recordings.unsettledLimitBytes,
      ...usage(),
    };
  }
}
