import type { Leg } from '../../call/leg.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { Recording } from '../../call/recording.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import { ScriptRunner } from '../../script/runner.ts';
import type { Step, Verb, VerbResults } from '../../script/verb.ts';
import type { Action } from './actions.ts';
import type { SinchApplication } from './application.ts';
import { CallDialogue, type SessionRequest } from './call-dialogue.ts';
import type { SinchCallRecords } from './call-records.ts';
import type { SinchCallbacks, Subject } from './callbacks.ts';
import { LegScript } from './leg-script.ts';
import { menuOf } from './menu-steps.ts';
import { leads, svamlCall } from './put-through.ts';
import type { WishMaker } from './recording-wishes.ts';
import { svamlSteps } from './steps.ts';
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

/** A call that an application decides over by SVAML, from its first leg's coming to the end of its last. */
export class LiveSession {
  readonly callId: string;
  readonly request: SessionRequest;
  readonly dialogue: CallDialogue;
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
    const { callbacks, clock, log } = parts;
    this.dialogue = new CallDialogue({ callId: leg.id, request, callbacks, clock, log, over: this.over });
    this.#runner = new ScriptRunner({
      clock,
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
    return this.dialogue.subject;
  }

  /** Aborted when it is over. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Somebody who was called for the first one answered. @param isTold whether the end of the call is told */
  reached(called: Leg, isTold: boolean): void {
    this.#isTold &&= isTold;
    this.#calledLeg = called;
    this.#watch(called, 'callee');
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

  /** As `serve`, of an answer; what of it is no verb was taken. */
  async serveSvaml(leg: Leg, svaml: Svaml): Promise<void> {
    if (svaml.action?.name === 'park') this.#parked.add(leg);
    else this.#parked.delete(leg);
    await this.serve(leg, this.steps(leg, svaml));
  }

  steps(leg: Leg, svaml: Svaml): Step[] {
    return svamlSteps(svaml, svamlCall(this, leg));
  }

  /** Of an answer that replaces what runs where it leads elsewhere, and is done beside it where it does not. */
  async apply(leg: Leg, svaml: Svaml): Promise<void> {
    const { action } = svaml;
    if (action?.name === 'park') return await this.#park(leg, svaml);
    if (leads(action) || action?.name === 'runMenu') return await this.serveSvaml(leg, svaml);
    await this.#beside(leg, svaml);
  }

  /** A parked call goes on; with nobody to go on with, it ends. */
  async release(leg: Leg, svaml: Svaml): Promise<void> {
    const conference = this.parts.calls.conferenceOf(leg.id);
    if (conference?.muteOf(leg.id)?.held) conference.hold(leg.id, false);
    if (this.#parked.has(leg)) await this.serveSvaml(leg, svaml);
    else await this.#beside(leg, svaml);
  }

  /** Whoever talks to somebody is on hold meanwhile; else it is what the call does. */
  async #park(leg: Leg, svaml: Svaml): Promise<void> {
    const conference = this.parts.calls.conferenceOf(leg.id);
    if (!conference) return await this.serveSvaml(leg, svaml);
    const steps = this.steps(leg, svaml);
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

  /** Also those that a flag of an action started; the conference's is not the call's. */
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

  async #perform<V extends Verb>(leg: Leg, verb: V, signal?: AbortSignal): Promise<VerbResults[V['verb']]> {
    if (verb.verb !== 'stop-recording') return await this.parts.performer.perform(leg, verb, signal);
    return { recording: await this.stopRecordings() } as VerbResults[V['verb']];
  }

  /** A call is worth more than its recording. A party that hangs up in a menu gave an answer too. */
  #goesOn(leg: Leg, step: Step, error: unknown): boolean {
    const menuId = menuOf(step);
    if (leg.ended) {
      if (menuId !== undefined) this.dialogue.hungUpIn(menuId);
      return false;
    }
    if (step.verb !== 'start-recording') return false;
    this.dialogue.failed(error);
    return true;
  }

  #failed(leg: Leg, error: unknown): void {
    if (leg.ended) return;
    this.dialogue.record.ends({ reason: 'GENERALERROR', result: leg.answered ? 'ANSWERED' : 'FAILED' });
    this.dialogue.failed(error);
  }

  #watch(leg: Leg, side: 'caller' | 'callee'): void {
    if (this.#scripts.has(leg)) return;
    this.script(leg);
    let { answered } = leg;
    const noteAnswer = () => {
      if (leg !== this.leg) return;
      this.dialogue.record.answered(this.#nowMs);
      this.parts.records.answered(this.callId, this.#nowMs);
    };
    if (answered) noteAnswer();
    leg.addHandlers({
      answered: () => {
        answered = true;
        noteAnswer();
      },
      ended: (end) => {
        const isOver = () => this.dialogue.record.partyEnded(end, answered, side);
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
    const { result, reason } = this.dialogue.disconnected(this.#isTold);
    this.parts.records.ended(this.callId, { unixMs: this.#nowMs, result, reason });
    this.#finished.resolve();
  }
}
