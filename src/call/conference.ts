import { tone } from '../audio/tone.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { LegReport } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import { ConferenceCallbacks } from './conference-callbacks.ts';
import { type MemberOf, memberOf } from './conference-member.ts';
import { ConferenceMute, type HoldMusic } from './conference-mute.ts';
import type {
  ConferenceEnd,
  ConferenceMember,
  ConferenceObserver,
  JoinOptions,
  RoomOptions,
  StayEnd,
} from './conference-options.ts';
import { ConferenceStart } from './conference-start.ts';
import type { Leg } from './leg.ts';
import type { Recording, RecordingWishes } from './recording.ts';
import { WorkerRoom } from './worker-room.ts';

export type * from './conference-options.ts';
export type ConferenceOptions = RoomOptions<Conference>;
type Member = MemberOf<Conference>;

/** Apart from the beep of a recording. */
const beepRateHz = 8000;
const beepSamples = tone({ rateHz: beepRateHz, frequencyHz: 850, levelDbov: -20 }, beepRateHz / 5);

/** A room from its first join to its last leave: one conversation. Joining the name later makes another. */
export class Conference {
  readonly conversationId = newId();
  readonly accountId: string;
  readonly name: string;
  readonly dialect: string;
  readonly worker: MediaWorker;
  readonly startedUnixMs: number;
  readonly recordings: Recording[] = [];
  /** The worker's figures of stays that ended, by track. */
  readonly stayReports = new Map<string, LegReport>();
  readonly #options: ConferenceOptions;
  readonly #callbacks: ConferenceCallbacks;
  readonly #room: WorkerRoom;
  readonly #members = new Map<string, Member>();
  readonly #watchers = new Set<() => void>();
  readonly #start = new ConferenceStart();
  readonly #observers = new Set<ConferenceObserver>();
  /** Parties that are on their way. */
  #expected = 0;
  #closed = false;
  #lastLegId: string | undefined;
  #endedBy: ConferenceEnd | undefined;

  constructor(options: ConferenceOptions) {
    this.#options = options;
    this.accountId = options.accountId;
    this.name = options.name;
    this.dialect = options.dialect;
    this.worker = options.worker;
    this.startedUnixMs = options.startedUnixMs;
    this.#room = new WorkerRoom(options.worker, this.conversationId, options.mode);
    this.#callbacks = new ConferenceCallbacks({
      added: () => options.callbackAdded(this),
      warn: (warning, url) => options.warn(this, warning, url),
    });
  }

  get eventCallbacks(): ReadonlySet<string> {
    return this.#callbacks.urls;
  }

  /** Two parties that nobody else joins by name: it ends when one is left alone. */
  get isPair(): boolean {
    return this.name === '';
  }

  /** Its last member left; nobody joins any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Undefined where nobody ever came. */
  get endedBy(): ConferenceEnd | undefined {
    const last = this.#lastLegId;
    return this.#endedBy ?? (last === undefined ? undefined : { connectionId: last, reason: 'last-left' });
  }

  get memberCount(): number {
    return this.#members.size;
  }

  get members(): { connectionId: string; trackId: string }[] {
    return [...this.#members.values()].map(({ leg, trackId }) => ({ connectionId: leg.id, trackId }));
  }

  /** Those of them that are heard by now, or wait for the conference to begin. */
  get present(): { connectionId: string; trackId: string }[] {
    return this.members.filter(({ connectionId }) => this.#members.get(connectionId)?.isPresent);
  }

  /**
   * The leg's stay, from now to its leaving. A recorded conference starts its recording first, so that it is on
   * record before the first packet; a call that was not answered is answered once the leg is in the room.
   * @param signal takes it out again
   * @throws CallreelError CONFLICT when the leg is carried by another worker or already ended, CONFERENCE_FULL
   */
  async join(leg: Leg, options: JoinOptions, signal?: AbortSignal): Promise<StayEnd> {
    if (leg.ended) {
      this.#endIfAlone();
      return this.#endIfEmpty('call-ended');
    }
    if (this.#closed || leg.worker !== this.worker || this.#members.has(leg.id)) {
      this.#endIfEmpty('closed');
      this.#endIfAlone();
      throw new CallreelError('CONFLICT', `the call ${leg.id} can not join the conference ${this.name}`);
    }
    if (options.maxParticipants !== undefined && this.#members.size >= options.maxParticipants)
      throw new CallreelError('CONFERENCE_FULL', `${this.#members.size} are in it`, { where: this.name });
    if (options.eventCallback !== undefined)
      this.#callbacks.add(options.eventCallback, options.warnings ?? []);
    const { promise, resolve } = Promise.withResolvers<StayEnd>();
    const states = {
      isPresent: false,
      waiting: false,
      sinceUnixMs: this.#options.clock.unixMs(),
      mute: new ConferenceMute(leg, options.muted ?? false),
    };
    const member: Member = { leg, options, room: this, trackId: newId(), ...states, end: resolve };
    const removeHandlers = leg.addHandlers({
      // Once it is let in, the worker listens for the key.
      digit: (digit) => {
        if (member.waiting && digit === options.leaveKey) takeOut();
      },
      ended: () => member.room.#callEnded(member),
    });
    const takeOut = () => member.room.leave(leg.id);
    signal?.addEventListener('abort', takeOut, { once: true });
    this.#enter(member);
    if (signal?.aborted) takeOut();
    try {
      return await promise;
    } finally {
      removeHandlers();
      signal?.removeEventListener('abort', takeOut);
    }
  }

  /**
   * Records the room from now on, unless a recording runs already: that one keeps what it was started with, and is
   * transcribed if anybody wants that.
   */
  startRecording(wishes: RecordingWishes = {}): Recording {
    const running = this.recordings.find((recording) => recording.running);
    if (!running) return this.addRecording(wishes);
    if (wishes.transcription) this.#options.recordings.transcribe?.(running, wishes.transcription);
    return running;
  }

  /**
   * One more recording of the room from now on.
   * @throws CallreelError CONFLICT for a control id that runs
   */
  addRecording(wishes: RecordingWishes): Recording {
    const recording = this.#options.recordings.create(this, wishes);
    this.recordings.push(recording);
    recording.start();
    return recording;
  }

  /** Takes the party out of the room; its call goes on with the next command. */
  leave(legId: string): boolean {
    const member = this.#members.get(legId);
    if (!member) return false;
    this.#room.leave(legId);
    this.#remove(legId, 'left');
    return true;
  }

  /**
   * A muted party hears the others; what it says is heard by nobody and in no recording of the conference (one of its
   * own call has it), as long as its stay here lasts.
   * @returns false for a party that is not here
   */
  mute(legId: string, muted: boolean): boolean {
    const member = this.#members.get(legId);
    if (!member) return false;
    if (member.mute.mute(muted))
      this.#cutOff(member, (observer) => observer.muted?.(this, member.leg, muted));
    return true;
  }

  /**
   * A party on hold neither hears nor is heard or recorded, as long as its stay here lasts: it has `music`, or silence.
   * @returns false for a party that is not here
   */
  hold(legId: string, held: boolean, music?: HoldMusic): boolean {
    const member = this.#members.get(legId);
    if (!member) return false;
    if (member.mute.hold(held, music))
      this.#cutOff(member, (observer) => observer.held?.(this, member.leg, held));
    return true;
  }

  /** Whether it is muted, on hold; undefined for a party that is not here. */
  muteOf(legId: string): ConferenceMember | undefined {
    const member = this.#members.get(legId);
    return member && memberOf(member);
  }

  /** Since when it is here; undefined for a party that is not. */
  sinceUnixMs(legId: string): number | undefined {
    return this.#members.get(legId)?.sinceUnixMs;
  }

  #cutOff({ leg, mute, waiting }: Member, what: (observer: ConferenceObserver) => void): void {
    // Who waits is let in with it.
    if (!waiting) this.#room.cutOff(leg.id, mute.cutOff);
    this.#tell(what);
  }

  /** What the party joined with; undefined for one that is not here. */
  optionsOf(legId: string): JoinOptions | undefined {
    return this.#members.get(legId)?.options;
  }

  /** Takes a party out of the room whose call is about to be ended; its stay ends with the call, not before. */
  stepOut(legId: string): void {
    const member = this.#members.get(legId);
    if (!member) return;
    this.#gone(member);
    this.#room.leave(legId);
    this.#changed();
  }

  /**
   * Takes a party over into another conversation: to itself it is one stay, to the recordings two.
   * @returns false where that is not possible
   */
  move(legId: string, to: Conference): boolean {
    const member = this.#members.get(legId);
    if (!member || to === this || to.closed || to.worker !== this.worker) return false;
    this.stepOut(legId);
    member.room = to;
    member.trackId = newId();
    member.isPresent = false;
    member.sinceUnixMs = this.#options.clock.unixMs();
    member.mute = new ConferenceMute(member.leg, false);
    to.#enter(member);
    this.#endIfEmpty('left');
    this.#endIfAlone();
    return true;
  }

  /** Somebody is about to join: a conversation of two outlasts one of them until the returned function is called. */
  expect(): () => void {
    this.#expected++;
    let waiting = true;
    return () => {
      if (waiting) this.#expected--;
      waiting = false;
      this.#endIfAlone();
    };
  }

  /** @param changed called whenever somebody left @returns stops it */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  /** The worker says that the leave key ended the stay. */
  leftByKey(legId: string, trackId: string): void {
    if (this.#members.get(legId)?.trackId === trackId) this.#remove(legId, 'left');
  }

  close(): void {
    for (const legId of [...this.#members.keys()]) this.#remove(legId, 'closed');
  }

  #enter(member: Member): void {
    const { leg, options } = member;
    this.#members.set(leg.id, member);
    if (options.observer) this.#observers.add(options.observer);
    member.waiting = !this.#start.opens(options);
    this.#tell((observer) => observer.came?.(this, leg));
    if (member.waiting) {
      member.isPresent = true;
      leg.answer();
      this.#start.hears(leg, options);
      return;
    }
    for (const waiting of this.#members.values())
      if (waiting.waiting) {
        waiting.waiting = false;
        this.#letIn(waiting);
      }
    this.#letIn(member);
    if (this.#start.counts(this.#members.size)) this.#tell((observer) => observer.begun?.(this));
  }

  #letIn(member: Member): void {
    const { policy, recording, beep } = member.options;
    if (policy === 'record') this.startRecording(recording);
    this.#sendJoin(member);
    if (beep === 'enter' || beep === 'both') this.#beep();
  }

  /** To everybody who is in the room. */
  #beep(): void {
    for (const { leg, waiting } of this.#members.values()) if (!waiting) leg.play(beepSamples, beepRateHz);
  }

  #sendJoin(member: Member): void {
    const { leg, options, trackId } = member;
    this.#room.join(member).then(
      () => {
        // It may be on its way to the next room.
        if (member.trackId === trackId) member.isPresent = true;
        leg.answer();
        this.#start.hears(leg, options);
      },
      () => leg.reject(500, 'the media worker refused the join'),
    );
  }

  #callEnded(member: Member): void {
    if (this.#members.get(member.leg.id) === member) this.#remove(member.leg.id, 'call-ended');
    else member.end('call-ended');
  }

  #remove(legId: string, outcome: StayEnd): void {
    const member = this.#members.get(legId);
    if (!member) return;
    this.#gone(member);
    const { beep, endOnExit } = member.options;
    if (endOnExit) this.#endedBy ??= { connectionId: legId, reason: 'end-on-exit' };
    if (!member.waiting && (beep === 'exit' || beep === 'both')) this.#beep();
    member.end(this.#endIfEmpty(outcome));
    this.#changed();
    if (endOnExit) this.close();
    this.#endIfAlone();
  }

  #gone(member: Member): void {
    const { leg } = member;
    member.mute.stopMusic();
    this.#lastLegId = leg.id;
    this.#members.delete(leg.id);
    this.#start.left(leg.id);
    this.#tell((observer) => observer.went?.(this, leg, memberOf(member)));
  }

  #tell(what: (observer: ConferenceObserver) => void): void {
    for (const observer of this.#observers) what(observer);
  }

  #changed(): void {
    for (const changed of this.#watchers) changed();
  }

  /** Who is left of two goes on with the next command, where there is one. */
  #endIfAlone(): void {
    const [last, ...others] = this.#members.keys();
    if (this.isPair && last !== undefined && others.length === 0 && this.#expected === 0) this.leave(last);
  }

  #endIfEmpty(outcome: StayEnd): StayEnd {
    if (this.#members.size === 0 && !this.#closed) {
      this.#closed = true;
      this.#options.emptied(this);
      this.#tell((observer) => observer.ended?.(this));
    }
    return outcome;
  }
}
