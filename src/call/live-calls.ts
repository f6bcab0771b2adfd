import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { WorkerEvent } from '../media/control.ts';
import { readCallerIdentity } from '../sip/caller-identity.ts';
import type { SipReferral, SipSession } from '../sip/session.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { CallLog } from './call-log.ts';
import { Conference, type ConferenceOptions, type JoinOptions, type StayEnd } from './conference.ts';
import { type Connection, partyName, printable } from './connection.ts';
import type { ConversationCloser } from './conversation-closer.ts';
import type { Directory } from './directory.ts';
import { callEndReason } from './end-reason.ts';
import { Leg } from './leg.ts';
import type { MediaPlane } from './media-plane.ts';
import type { RecordedCall } from './recorded-call.ts';
import { RecordedCalls } from './recorded-calls.ts';
import type { GivenConsent, Recording, RecordingWishes } from './recording.ts';
import type { RecordingFactory } from './recording-factory.ts';
import { type RecordingReport, RecordingReports } from './recording-reports.ts';
import { settleRooms } from './settle-rooms.ts';
import type { SilenceWatch } from './silence-watch.ts';

export interface LiveCallsOptions {
  clock: Clock;
  log: Logger;
  accountId: string;
  media: MediaPlane;
  directory: Directory;
  closer: ConversationCloser;
  recordings: RecordingFactory;
  /** What happens to calls whose media stopped; without it: nothing. */
  silence?: SilenceWatch;
  /** Keeps the messages and media figures of each leg. */
  callLog?: CallLog;
}

/** Every call and conference that lives on this node, and the verbs that act on them. */
export class LiveCalls {
  /** Takes the parties' transfers; set once, before the first call. */
  transfers: { referred(leg: Leg, referral: SipReferral): void } | undefined;
  readonly #options: LiveCallsOptions;
  readonly #legs = new Map<string, Leg>();
  /** By account and name: what a joiner finds. */
  readonly #conferences = new Map<string, Conference>();
  /** By conversation: also those that are closing, until their recordings are on disk and in the directory. */
  readonly #unfinished = new Map<string, Conference>();
  readonly #recordedCalls: RecordedCalls;
  readonly #reports: RecordingReports;

  constructor(options: LiveCallsOptions) {
    this.#options = options;
    this.#recordedCalls = new RecordedCalls(options.clock, options.recordings);
    this.#reports = new RecordingReports(options.directory);
  }

  get counts(): { calls: number; conferences: number; unfinishedConversations: number } {
    return {
      calls: this.#legs.size,
      conferences: this.#conferences.size,
      unfinishedConversations: this.#unfinished.size,
    };
  }

  get conferences(): Conference[] {
    return [...this.#conferences.values()];
  }

  leg(connectionId: string): Leg | undefined {
    return this.#legs.get(connectionId);
  }

  legOf(session: SipSession): Leg | undefined {
    for (const leg of this.#legs.values()) if (leg.session === session) return leg;
    return undefined;
  }

  /** The legs of a call that go on. @param id of any of them */
  legsOfCall(id: string): Leg[] {
    const callId = this.#legs.get(id)?.connection.callId ?? id;
    return [...this.#legs.values()].filter(({ connection }) => connection.callId === callId);
  }

  /** The worker that carries the conference, or will. */
  workerFor(accountId: string, conferenceName: string): MediaWorker {
    const key = this.#conferenceKey(accountId, conferenceName);
    return this.#conferences.get(key)?.worker ?? this.#options.media.workerFor(key);
  }

  /** Where the party is now, in a conversation of two or in a named one. */
  conferenceOf(connectionId: string): Conference | undefined {
    for (const conference of this.#unfinished.values())
      if (conference.optionsOf(connectionId) !== undefined) return conference;
    return undefined;
  }

  /** Takes an incoming SIP call in: from here on it has a connection id and is on record. */
  incoming(session: SipSession): Leg {
    const { accountId, clock, media } = this.#options;
    const connection = {
      connectionId: newId(),
      accountId,
      from: partyName(session.from),
      to: partyName(session.to),
      direction: session.direction,
      sipCallId: printable(session.callId),
      startedUnixMs: clock.unixMs(),
      sipIdentity: readCallerIdentity(session.headers),
    };
    return this.adopt(new Leg(connection, session, media));
  }

  /**
   * Takes a leg in that is on its way: from here on it is on record, and found by its connection id.
   * @param placedFor the leg whose call it belongs to
   */
  adopt(leg: Leg, placedFor = leg.id): Leg {
    const { clock, directory, silence, callLog } = this.#options;
    leg.connection.callId ??= this.#legs.get(placedFor)?.connection.callId ?? leg.id;
    this.#legs.set(leg.id, leg);
    callLog?.begin(leg.id, leg.session.callId);
    directory.connections.started(leg.connection);
    let answered = false;
    leg.addHandlers({
      referred: (referral) => {
        if (this.transfers) this.transfers.referred(leg, referral);
        else referral.reject(603);
      },
      answered: () => {
        answered = true;
        directory.connections.answered(leg.id);
        silence?.answered(leg);
      },
      ended: (end) => {
        this.#legs.delete(leg.id);
        directory.connections.ended(leg.id, clock.unixMs(), callEndReason(end, answered));
        callLog?.end(leg.id);
      },
    });
    return leg;
  }

  /** Who calls and by which trunk, once that is known; before anything is done for the call. */
  identify(leg: Leg, known: Partial<Pick<Connection, 'from' | 'to' | 'sipIdentity' | 'trunkId'>>): void {
    Object.assign(leg.connection, known);
    this.#options.directory.connections.identified(leg.connection);
  }

  /** Opens the leg's media where the named conference is, or will be. @throws CallreelError as `Leg.openMedia` */
  async openMediaFor(leg: Leg, conferenceName: string): Promise<void> {
    await leg.openMedia(this.#conferenceKey(leg.connection.accountId, conferenceName));
  }

  /** The named conference, opened by this leg where there is none; for one whose media `openMediaFor` opened. */
  conferenceFor(leg: Leg, name: string, dialect: string): Conference {
    const key = this.#conferenceKey(leg.connection.accountId, name);
    return this.#conferences.get(key) ?? this.#openConference(key, leg, name, dialect);
  }

  /**
   * Puts the leg into the named conference and answers it where needed.
   * @returns how the stay ended
   */
  async joinConference(leg: Leg, name: string, dialect: string, options: JoinOptions): Promise<StayEnd> {
    await this.openMediaFor(leg, name);
    return await this.conferenceFor(leg, name, dialect).join(leg, options);
  }

  /** Opens a room for two parties, whose packets are relayed as they are. */
  openPair(leg: Leg, dialect: string): Conference {
    return this.#openRoom(leg, { name: '', mode: 'relay', dialect });
  }

  /** The live one of this name. @throws CallreelError NOT_FOUND */
  conference(accountId: string, name: string): Conference {
    const conference = this.#conferences.get(this.#conferenceKey(accountId, name));
    if (conference) return conference;
    throw new CallreelError('NOT_FOUND', 'no conference of this name is live', { where: printable(name) });
  }

  /**
   * Starts recording a conference that runs already.
   * @throws CallreelError NOT_FOUND
   */
  startRecording(accountId: string, conferenceName: string, wishes?: RecordingWishes): Recording {
    return this.conference(accountId, conferenceName).startRecording(wishes);
  }

  /** @throws CallreelError NOT_FOUND */
  stopRecording(accountId: string, conferenceName: string, recordingId: string): void {
    const conference = this.conference(accountId, conferenceName);
    const recording = conference.recordings.find((candidate) => candidate.recordingId === recordingId);
    if (!recording)
      throw new CallreelError('NOT_FOUND', 'the conference has no such recording', { where: recordingId });
    recording.stop();
  }

  /**
   * One more recording of a conference that runs already.
   * @throws CallreelError NOT_FOUND, CONFLICT for a control id that runs
   */
  addRecording(accountId: string, conferenceName: string, wishes: RecordingWishes): Recording {
    return this.conference(accountId, conferenceName).addRecording(wishes);
  }

  /**
   * Records one call by itself, wherever it is and goes.
   * @throws CallreelError NOT_FOUND, CONFLICT before its media is open and for a control id that runs
   */
  recordCall(connectionId: string, wishes: RecordingWishes): Recording {
    const leg = this.#legs.get(connectionId);
    if (!leg) throw new CallreelError('NOT_FOUND', 'there is no such call', { where: connectionId });
    return this.#recordedCalls.record(leg, wishes);
  }

  /** Those of the call by itself that run, oldest first. */
  recordingsOfCall(connectionId: string): Recording[] {
    return this.#recordedCalls.running(connectionId);
  }

  /** The recording that runs, or whose end is not on record yet. */
  recording(recordingId: string): Recording | undefined {
    for (const room of [...this.#unfinished.values(), ...this.#recordedCalls.all])
      for (const recording of room.recordings) if (recording.recordingId === recordingId) return recording;
    return undefined;
  }

  /**
   * Takes everybody out of a conference; their calls go on with the next command of their documents.
   * @throws CallreelError NOT_FOUND
   */
  endConference(accountId: string, name: string): void {
    const conference = this.conference(accountId, name);
    for (const { connectionId } of conference.members) conference.leave(connectionId);
  }

  /**
   * Takes a party out of its conference; its call goes on with the next command of its document.
   * @throws CallreelError NOT_FOUND when there is no such call or it is in no conference
   */
  leave(connectionId: string): void {
    for (const conference of this.#conferences.values()) if (conference.leave(connectionId)) return;
    throw new CallreelError('NOT_FOUND', 'the call is in no conference', { where: connectionId });
  }

  /** When what was written so far about the recordings of a room is in the database. */
  written(conversationId: string): Promise<void> {
    return this.#options.directory.conversationWritten(conversationId);
  }

  /** Puts the consent on record, then has the recording follow it. @throws CallreelError as `RecordingReports.consent` */
  async consent(recording: Recording, given: GivenConsent): Promise<void> {
    await this.#reports.consent(recording, given);
  }

  /** Makes what is spooled so far visible to a reader; for recordings that still grow. */
  async settle(conversationId: string): Promise<void> {
    try {
      const room = this.#room(conversationId);
      if (room) await room.worker.send({ verb: 'spool.settle', roomIds: [conversationId] });
    } catch (error) {
      // What a lost worker wrote is there to be read; there is nobody to wait for.
      if (!(error instanceof CallreelError) || error.code !== 'WORKER_LOST') throw error;
    }
  }

  /** As `settle` of many at once. @returns as `settleRooms` */
  settleAll(conversationIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const failed = (error: unknown): void => {
      // What that means for its calls is said elsewhere.
      const isLost = error instanceof CallreelError && error.code === 'WORKER_LOST';
      if (!isLost) this.#options.log.error({ error }, 'what is spooled can not be made visible');
    };
    return settleRooms(conversationIds, (id) => this.#room(id)?.worker, failed);
  }

  onWorkerEvent(event: WorkerEvent): void {
    this.#options.callLog?.onWorkerEvent(event);
    if (event.event === 'leg.media') this.#legs.get(event.legId)?.mediaCame();
    else if (event.event === 'leg.inactive') this.#silent(event.legId, event.silentMs);
    else if (event.event === 'leg.digit') this.#legs.get(event.legId)?.digit(event.digit);
    else if (event.event === 'play.ended') this.#legs.get(event.legId)?.playEnded(event.playId, event.reason);
    else if (event.event === 'digits.ended')
      this.#legs.get(event.legId)?.keysPressed(event.digitsId, event.reason);
    else if (event.event === 'listen.speech' || event.event === 'listen.ended')
      this.#legs.get(event.legId)?.listenedTo(event);
    else if (event.event === 'stay.left')
      this.#unfinished.get(event.roomId)?.leftByKey(event.legId, event.trackId);
    else if (event.event === 'leg.report' && event.stay)
      this.#unfinished.get(event.stay.roomId)?.stayReports.set(event.stay.trackId, event.report);
    else if ('recordingId' in event) this.#recordingReport(event);
    else if (event.event === 'fault') this.#options.log.error({ event }, 'a media worker reports a fault');
  }

  /** The worker is gone: its calls end decently, what it recorded is finished from its spool. */
  onWorkerLost(worker: MediaWorker): void {
    for (const leg of [...this.#legs.values()])
      if (leg.worker === worker) leg.reject(503, 'media worker lost');
    const conferences = [...this.#unfinished.values()].filter((conference) => conference.worker === worker);
    for (const conference of conferences) conference.close();
    const recordedCalls = this.#recordedCalls.all.filter((call) => call.worker === worker);
    const rooms = [...conferences, ...recordedCalls];
    this.#options.closer.recover(
      worker.workerId,
      rooms.map(({ conversationId }) => conversationId),
    );
    for (const { recordings } of rooms)
      for (const recording of recordings) recording.markEnded('interrupted');
  }

  /** Hangs up every call and waits until every conversation is finished and in the directory. */
  async close(): Promise<void> {
    for (const leg of [...this.#legs.values()]) leg.hangUp('shutting down');
    for (const conference of [...this.#unfinished.values()]) conference.close();
    await this.#options.closer.whenIdle();
    await this.#options.callLog?.close();
  }

  #room(roomId: string): Conference | RecordedCall | undefined {
    return this.#unfinished.get(roomId) ?? this.#recordedCalls.room(roomId);
  }

  #recordingReport(report: RecordingReport): void {
    const room = this.#room(report.roomId);
    const recording = room?.recordings.find(({ recordingId }) => recordingId === report.recordingId);
    if (room && recording) this.#reports.take(report, recording, room.name);
  }

  #silent(legId: string, silentMs: number): void {
    const leg = this.#legs.get(legId);
    if (leg) this.#options.silence?.silent(leg, silentMs);
  }

  #conferenceKey(accountId: string, name: string): string {
    return JSON.stringify([accountId, name]);
  }

  #openConference(key: string, leg: Leg, name: string, dialect: string): Conference {
    const conference = this.#openRoom(leg, { name, mode: 'mix', dialect }, () =>
      this.#conferences.delete(key),
    );
    this.#conferences.set(key, conference);
    return conference;
  }

  #openRoom(
    leg: Leg,
    kind: Pick<ConferenceOptions, 'name' | 'mode' | 'dialect'>,
    emptied: () => void = () => undefined,
  ): Conference {
    const { clock, directory, closer, media, recordings } = this.#options;
    const conference = new Conference({
      ...kind,
      accountId: leg.connection.accountId,
      worker: leg.worker ?? media.workerFor(leg.id),
      startedUnixMs: clock.unixMs(),
      clock,
      recordings,
      callbackAdded: (room) => directory.conversationCallbacks(room.conversationId, [...room.eventCallbacks]),
      warn: (room, warning, url) => directory.conversationWarning(room, warning, url),
      emptied: (room) => {
        emptied();
        void closer.close(room).finally(() => this.#unfinished.delete(room.conversationId));
      },
    });
    this.#unfinished.set(conference.conversationId, conference);
    directory.conversationStarted(conference);
    return conference;
  }
}
