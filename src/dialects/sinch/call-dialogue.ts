import type { Clock } from '../../clock.ts';
import { asCallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { SinchApplication } from './application.ts';
import { CallRecord } from './call-record.ts';
import {
  aceBody,
  type CallDomain,
  type CallHeader,
  type Destination,
  diceBody,
  type MenuResult,
  pieBody,
} from './callback-bodies.ts';
import type { Answer, Question, SinchCallbacks, Subject } from './callbacks.ts';
import type { InlineCallback } from './callouts.ts';
import { sinchErrorOf } from './errors.ts';
import type { Svaml } from './svaml.ts';

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

export interface DialogueOptions {
  callId: string;
  request: SessionRequest;
  callbacks: SinchCallbacks;
  clock: Clock;
  log: Logger;
  /** Aborted when the call is over: what it asks then nobody waits for. */
  over: AbortSignal;
}

/** What a call and its application say to each other. */
export class CallDialogue {
  readonly record: CallRecord;
  readonly #options: DialogueOptions;

  constructor(options: DialogueOptions) {
    const { callId, request } = options;
    const { application, custom } = request;
    this.#options = options;
    this.record = new CallRecord({ application, callId, custom });
  }

  get subject(): Subject {
    return this.record.subject;
  }

  /** @returns undefined where nobody is to be asked */
  async ask(
    question: Omit<Question, 'inline' | 'signal'>,
    by: 'application' | InlineCallback | undefined,
  ): Promise<Answer | undefined> {
    if (by === undefined) return undefined;
    const { callbacks, over } = this.#options;
    const inline = by === 'application' ? undefined : by;
    const answer = await callbacks.ask(this.subject, { ...question, inline, signal: over });
    if ('svaml' in answer) this.take(answer.svaml);
    return answer;
  }

  /** A called party answered. @returns undefined: nothing that is of use */
  async ace(): Promise<Svaml | undefined> {
    const body = aceBody(this.record.head(this.#nowMs));
    const answer = await this.ask({ use: 'ace', body }, this.#options.request.callbacks.ace);
    return answer && 'svaml' in answer ? answer.svaml : undefined;
  }

  /** A menu is done with, or keys were pressed. @returns as `ace` */
  async pie(menuResult: MenuResult): Promise<Svaml | undefined> {
    const body = pieBody(this.record.head(this.#nowMs), menuResult);
    const answer = await this.ask({ use: 'pie', body }, this.#options.request.callbacks.pie);
    return answer && 'svaml' in answer ? answer.svaml : undefined;
  }

  /** The party hung up in a menu: that is told, and no answer is waited for. */
  hungUpIn(menuId: string): void {
    const { pie } = this.#options.request.callbacks;
    const body = pieBody(this.record.head(this.#nowMs), { menuId, type: 'hangup' });
    if (pie === 'application') this.#tell('pie', body);
    else if (pie?.kind === 'url') this.#tell('pie', body, pie.url);
  }

  /** It is over. @returns how, as it is told */
  disconnected(isTold: boolean) {
    const { from, to, callHeaders, callbacks } = this.#options.request;
    const call = this.record.disconnected(this.#nowMs, { from, to, callHeaders });
    const url = callbacks.dice === 'application' ? undefined : callbacks.dice?.url;
    if (isTold) this.#tell('dice', diceBody(call), url);
    return call;
  }

  /** What of a document is no verb. */
  take(svaml: Svaml): void {
    if (this.record.keepCookies(svaml)) return;
    const message = 'the cookies have, with custom, more than 1024 bytes: these are not kept';
    this.#options.callbacks.tellError(this.subject, 40001, message);
  }

  /** Something that was asked for could not be done. */
  failed(error: unknown): void {
    const { log, callbacks } = this.#options;
    log.warn({ error, connectionId: this.subject.callId }, 'a document is not done as it says');
    const known = asCallreelError(error, 'an unexpected error');
    const { code, message } = sinchErrorOf(known);
    callbacks.tellError(this.subject, code, message);
  }

  get #nowMs(): number {
    return this.#options.clock.unixMs();
  }

  #tell(type: string, payload: object, url?: string): void {
    this.#options.callbacks.tell(this.subject, type, payload, url);
  }
}
