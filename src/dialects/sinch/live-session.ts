import type { ConferenceObserver } from '../../call/conference.ts';
import type { Leg } from '../../call/leg.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { Recording } from '../../call/recording.ts';
import type { Clock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { sendKeys } from '../../script/key-sender.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import { ScriptRunner } from '../../script/runner.ts';
import type { Next, Step, Verb, VerbResults } from '../../script/verb.ts';
import type { Action, ConnectConf } from './actions.ts';
import type { SinchApplication } from './application.ts';
import { connectedEnd } from './call-end.ts';
import { CallRecord } from './call-record.ts';
import type { SinchCallRecords } from './call-records.ts';
import {
  aceBody,
  type CallDomain,
  type CallHeader,
  type Destination,
  diceBody,
  type MenuResult,
  pieBody,
} from './callback-bodies.ts';
import type { Question, SinchCallbacks, Subject } from './callbacks.ts';
import type { InlineCallback } from './callouts.ts';
import { conferenceKeys } from './conference-keys.ts';
import { sinchErrorOf } from './errors.ts';
import { LegScript } from './leg-script.ts';
import { menuOf } from './menu-steps.ts';
import { musicOf } from './music.ts';
import type { SinchRecordingOptions } from './recording-options.ts';
import type { WishMaker } from './recording-wishes.ts';
import {
  actionSteps,
  type ConnectAction,
  type Connecting,
  instructionSteps,
  type SvamlCall,
  svamlSteps,
} from './steps.ts';
import type { Svaml } from './svaml.ts';

/** What every session has at hand. */
export interface SessionParts {
  clock: Clock;
  log: Logger;
  calls: LiveCalls;
  performer: VerbPerformer;
  callbacks: SinchCallbacks;
  wishes: WishMaker;
  /** Of every call, to be asked about when it is over too. */
  records: Pick<SinchCallRecords, 'begun' | 'answered' | 'ended'>;
}

/** What is asked and told of a call, and whom it is between. */
export interface SessionRequest {
  application: SinchApplication;
  custom: string | undefined;
  from: string;
  to: Destination;
  domain: CallDomain;
  /** Who the first leg is. */
  side: 'caller' | 'callee';
  /** Whom it is put through to, unless somebody is named. */
  dialed: string;
  callHeaders?: readonly CallHeader[] | undefined;
  /** Undefined: it is not asked, or not told. */
  callbacks: {
    ace: 'application' | InlineCallback | undefined;
    pie: 'application' | InlineCallback | undefined;
    dice: 'application' | { url: string } | undefined;
  };
}

/** Ends with it: what decides is for somebody else to do. */
const leading: ReadonlySet<Action['name'] | undefined> = new Set([
  'hangup',
  'connectPstn',
  'connectSip',
  'connectMxp',
  'connectConf',
] as const);

/** A call that an application decides over by SVAML, from its first leg's coming to the end of its last. */
export class LiveSession {
  readonly callId: string;
  readonly request: SessionRequest;
  readonly record: CallRecord;
  readonly parts: SessionParts;
  readonly whenOver: Promise<void>;
  #leg: Leg;
  #calledLeg: Leg | undefined;
  /** Other legs may be tried for the first one. */
  #isDialing = false;
  /** Of the last leg that was tried in vain. */
  #unreached: (() => void) | undefined;
  readonly #runner: ScriptRunner;
  readonly #scripts = new Map<Leg, LegScript>();
  readonly #parked = new Set<Leg>();
  readonly #over = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  #isTold: boolean;

  constructor(leg: Leg, request: SessionRequest, parts: SessionParts) {
    this.#leg = leg;
    this.callId = leg.id;
    this.request = request;
    this.parts = parts;
    this.#isTold = request.callbacks.dice !== undefined;
    this.whenOver = this.#finished.promise;
    const { application, custom } = request;
    this.record = new CallRecord({ application, callId: leg.id, custom });
    this.#runner = new ScriptRunner({
      clock: parts.clock,
      performer: { perform: (who, verb, signal) => this.#perform(who, verb, signal) },
      goesOn: (who, step, error) => this.#goesOn(who, step, error),
    });
    this.#watch(leg, request.side);
    const { startedUnixMs, accountId } = leg.connection;
    parts.records.begun({
      ...{ callId: leg.id, accountId, applicationKey: application.key, custom, startedUnixMs },
      from: { type: /^\+?\d+$/.test(request.from) ? 'number' : 'sip', endpoint: request.from },
      ...{ to: request.to, domain: request.domain },
    });
  }

  /** The first one; of a call that was placed the one that answered. */
  get leg(): Leg {
    return this.#leg;
  }

  get application(): SinchApplication {
    return this.request.application;
  }

  /** Who was called for the first one, once it answered. */
  get calledLeg(): Leg | undefined {
    return this.#calledLeg;
  }

  get subject(): Subject {
    return this.record.subject;
  }

  /** It is not over with its first leg, and ends as the last one that is tried does. */
  dialing(dialed: Promise<void>): void {
    this.#isDialing = true;
    const over = () => {
      if (!this.#isDialing) return;
      this.#isDialing = false;
      this.#unreached?.();
      this.#finishIfOver();
    };
    void dialed.then(over, over);
  }

  /** A call that we placed: by any of the legs that were tried. */
  answeredBy(leg: Leg): void {
    this.#isDialing = false;
    if (leg === this.#leg) return;
    this.#leg = leg;
    this.#watch(leg, this.request.side);
  }

  /** Of a party of this call. */
  script(leg: Leg): LegScript {
    const known = this.#scripts.get(leg);
    if (known) return known;
    const script = new LegScript(leg, this.#runner);
    this.#scripts.set(leg, script);
    return script;
  }

  /** Does the document, and hangs up at its end. Never throws. */
  async serve(leg: Leg, steps: readonly Step[]): Promise<void> {
    try {
      const end = await this.script(leg).run(steps);
      if (end === 'finished') leg.hangUp('end of the document');
    } catch (error) {
      this.#failed(leg, error);
      leg.hangUp('the document failed');
    }
  }

  /** Whatever it answers; undefined: nothing that is of use. */
  async ask(question: Omit<Question, 'inline' | 'signal'>, by: 'application' | InlineCallback | undefined) {
    if (by === undefined) return undefined;
    const inline = by === 'application' ? undefined : by;
    const asked = { ...question, inline, signal: this.#over.signal };
    const answer = await this.parts.callbacks.ask(this.subject, asked);
    if ('svaml' in answer) this.take(answer.svaml);
    return answer;
  }

  /** What of a document is no verb. */
  take(svaml: Svaml): void {
    if (this.record.keepCookies(svaml)) return;
    const message = 'the cookies have, with custom, more than 1024 bytes: these are not kept';
    this.parts.callbacks.tellError(this.subject, 40001, message);
  }

  steps(leg: Leg, svaml: Svaml): Step[] {
    return svamlSteps(
      svaml,
      this.#svamlCall(leg, (result) => this.#menuAnswer(leg, result)),
    );
  }

  /** Of an answer that replaces what runs where it leads elsewhere, and is done beside it where it does not. */
  async apply(leg: Leg, svaml: Svaml): Promise<void> {
    const { action } = svaml;
    if (action?.name === 'park') return await this.#park(leg, svaml);
    if (leading.has(action?.name) || action?.name === 'runMenu')
      return await this.serve(leg, this.steps(leg, svaml));
    await this.#beside(leg, svaml);
  }

  /** A parked call goes on; with nobody to go on with, it ends. */
  async release(leg: Leg, svaml: Svaml): Promise<void> {
    const conference = this.parts.calls.conferenceOf(leg.id);
    if (conference?.muteOf(leg.id)?.held) conference.hold(leg.id, false);
    if (this.#parked.delete(leg)) await this.serve(leg, this.steps(leg, svaml));
    else await this.#beside(leg, svaml);
  }

  /** Whoever talks to somebody is on hold meanwhile; else it is what the call does. */
  async #park(leg: Leg, svaml: Svaml): Promise<void> {
    const steps = this.steps(leg, svaml);
    const conference = this.parts.calls.conferenceOf(leg.id);
    if (!conference) {
      this.#parked.add(leg);
      return await this.serve(leg, steps);
    }
    conference.hold(leg.id, true, (held) => {
      const script = new LegScript(held, this.#runner);
      script.run(steps).catch((error: unknown) => this.#failed(held, error));
      return { stop: () => script.stop() };
    });
  }

  async #beside(leg: Leg, svaml: Svaml): Promise<void> {
    try {
      await this.script(leg).beside(this.steps(leg, svaml));
    } catch (error) {
      this.#failed(leg, error);
    }
  }

  /**
   * Asks about a called party that answered (ACE), and does on its call what is to be done ahead of being put through.
   * @returns the action that leads elsewhere; undefined: it goes on
   */
  async called(leg: Leg): Promise<Action | undefined> {
    const body = aceBody(this.record.head(this.#nowMs));
    const answer = await this.ask({ use: 'ace', body }, this.request.callbacks.ace);
    if (!answer || !('svaml' in answer) || leg.ended) return undefined;
    let { action } = answer.svaml;
    const call = this.#svamlCall(leg, async (result) => {
      const next = await this.#pie(result);
      action = next?.action;
      return next ? ahead(next) : undefined;
    });
    const ahead = (svaml: Svaml): Step[] => [
      ...instructionSteps(svaml.instructions, call),
      ...(svaml.action && !leading.has(svaml.action.name) ? actionSteps(svaml.action, call) : []),
    ];
    await this.script(leg).run(ahead(answer.svaml));
    return leading.has(action?.name) ? action : undefined;
  }

  /** Also those that a flag of an action started; the conference's is not the call's (features.md, S13). */
  async stopRecordings(): Promise<Recording | undefined> {
    const { calls } = this.parts;
    const running = [...this.#scripts.keys(), this.leg]
      .flatMap(({ id }) => calls.recordingsOfCall(id))
      .filter(({ wishes }) => wishes.dialect === 'sinch');
    for (const recording of running) recording.stop();
    await Promise.all(running.map((recording) => recording.whenWritten));
    return running.at(-1);
  }

  /** The SVAML action that a party's call is led to. */
  lead(leg: Leg, action: Action): Step[] {
    return this.steps(leg, { instructions: [], action, warnings: [] });
  }

  get #nowMs(): number {
    return this.parts.clock.unixMs();
  }

  #svamlCall(leg: Leg, askMenu: (result: MenuResult) => Promise<Next>): SvamlCall {
    return {
      dialed: this.request.dialed,
      clock: this.parts.clock,
      wishesOf: (options, _kind, conferenceId) =>
        this.parts.wishes.of(options, { ...this.subject, conferenceId }),
      askMenu,
      musicOf,
      connecting: (action) => this.#connecting(leg, action),
      observerOf: (action) => this.#observer(leg, action),
    };
  }

  async #pie(menuResult: MenuResult): Promise<Svaml | undefined> {
    const body = pieBody(this.record.head(this.#nowMs), menuResult);
    const answer = await this.ask({ use: 'pie', body }, this.request.callbacks.pie);
    return answer && 'svaml' in answer ? answer.svaml : undefined;
  }

  async #menuAnswer(leg: Leg, result: MenuResult): Promise<Next> {
    const svaml = await this.#pie(result);
    return svaml && this.steps(leg, svaml);
  }

  #connecting(caller: Leg, action: ConnectAction): Connecting {
    let instead: Step[] | undefined;
    return {
      answered: async (called, signal) => {
        const leads = await this.#answered(called, action);
        if (called.ended || signal.aborted) return false;
        if (leads === undefined) {
          if (action.record) this.#recordCall(caller, action.record);
          return true;
        }
        // The call is the two of them: both go there.
        if (leads.name === 'connectConf') instead = this.lead(caller, leads);
        void this.serve(called, this.lead(called, leads));
        return false;
      },
      done: async (result) => {
        this.record.ends(connectedEnd(result));
        return instead;
      },
    };
  }

  async #answered(called: Leg, action: ConnectAction): Promise<Action | undefined> {
    const isSuppressed = 'suppressCallbacks' in action && action.suppressCallbacks;
    if (isSuppressed) this.#isTold = false;
    this.#calledLeg = called;
    this.#watch(called, 'callee');
    if (action.name === 'connectPstn' && action.dtmf !== undefined)
      await this.script(called).beside([{ verb: 'send-digits', digits: action.dtmf }]);
    return isSuppressed ? undefined : await this.called(called);
  }

  /** Ahead of what is to be heard of it, whether the call is answered by now or not. */
  #recordCall({ id }: Leg, options: SinchRecordingOptions): void {
    try {
      this.parts.calls.recordCall(id, this.parts.wishes.of(options, this.subject));
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  #observer(leg: Leg, { dtmf }: ConnectConf): ConferenceObserver | undefined {
    if (!dtmf) return undefined;
    const { clock, calls, log } = this.parts;
    return conferenceKeys({
      ...{ leg, dtmf, clock },
      press: (connectionId, digit) => {
        const other = calls.leg(connectionId);
        if (other)
          sendKeys(other, digit, this.#over.signal).catch((error: unknown) =>
            log.warn({ error, connectionId }, 'a key could not be forwarded'),
          );
      },
      detected: (value) => {
        const result: MenuResult = { menuId: 'conference', type: 'sequence', value, inputMethod: 'dtmf' };
        void this.#pie(result).then(async (svaml) => {
          if (svaml && !leg.ended) await this.apply(leg, svaml);
        });
      },
    });
  }

  async #perform<V extends Verb>(leg: Leg, verb: V, signal?: AbortSignal): Promise<VerbResults[V['verb']]> {
    if (verb.verb !== 'stop-recording') return await this.parts.performer.perform(leg, verb, signal);
    return { recording: await this.stopRecordings() } as VerbResults[V['verb']];
  }

  /** A call is worth more than its recording. A party that hangs up in a menu gave an answer too. */
  #goesOn(leg: Leg, step: Step, error: unknown): boolean {
    const menuId = menuOf(step);
    if (leg.ended) {
      if (menuId !== undefined && this.request.callbacks.pie === 'application')
        this.#tell('pie', pieBody(this.record.head(this.#nowMs), { menuId, type: 'hangup' }));
      return false;
    }
    if (step.verb !== 'start-recording') return false;
    this.#tellFailure(error);
    return true;
  }

  #failed(leg: Leg, error: unknown): void {
    if (leg.ended) return;
    this.record.ends({ reason: 'GENERALERROR', result: leg.answered ? 'ANSWERED' : 'FAILED' });
    this.#tellFailure(error);
  }

  #tellFailure(error: unknown): void {
    const { log, callbacks } = this.parts;
    log.warn({ error, connectionId: this.callId }, 'a document is not done as it says');
    const known =
      error instanceof CallreelError ? error : new CallreelError('INTERNAL', 'an unexpected error');
    const { code, message } = sinchErrorOf(known);
    callbacks.tellError(this.subject, code, message);
  }

  #tell(type: string, payload: object, url?: string): void {
    this.parts.callbacks.tell(this.subject, type, payload, url);
  }

  #watch(leg: Leg, side: 'caller' | 'callee'): void {
    if (this.#scripts.has(leg)) return;
    this.script(leg);
    let { answered } = leg;
    const noteAnswer = () => {
      if (leg !== this.leg) return;
      this.record.answered(this.#nowMs);
      this.parts.records.answered(this.callId, this.#nowMs);
    };
    if (answered) noteAnswer();
    leg.addHandlers({
      answered: () => {
        answered = true;
        noteAnswer();
      },
      ended: (end) => {
        const isOver = () => this.record.partyEnded(end, answered, side);
        if (this.#isDialing) this.#unreached = isOver;
        else if (answered || leg === this.#leg || leg === this.#calledLeg) isOver();
        this.#finishIfOver();
      },
    });
  }

  #finishIfOver(): void {
    const left = this.parts.calls.legsOfCall(this.callId).filter(({ ended }) => !ended);
    for (const other of left) this.#watch(other, 'callee');
    if (left.length === 0 && !this.#isDialing) this.#finish();
  }

  #finish(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort(new Error('the call ended'));
    const { from, to, callHeaders, callbacks } = this.request;
    const call = this.record.disconnected(this.#nowMs, { from, to, callHeaders });
    const url = callbacks.dice === 'application' ? undefined : callbacks.dice?.url;
    const { result, reason } = call;
    this.parts.records.ended(this.callId, { unixMs: this.#nowMs, result, reason });
    if (this.#isTold) this.#tell('dice', diceBody(call), url);
    this.#finished.resolve();
  }
}
