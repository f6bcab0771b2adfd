import type { CallbackClient, CallbackResponse } from '../../callbacks/callback-client.ts';
import { displayUrl, parseUserUrl } from '../../callbacks/user-url.ts';
import type { Clock } from '../../clock.ts';
import type { OutgoingEvent } from '../../delivery/outbox.ts';
import { CallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { SinchApplication } from './application.ts';
import { callingErrorBody } from './callback-bodies.ts';
import type { InlineCallback } from './callouts.ts';
import type { SvamlUse } from './instructions.ts';
import type { Problem } from './problems.ts';
import type { RecordingRules } from './recording-options.ts';
import { signedHeaders } from './signature.ts';
import { loadSvaml, type Svaml } from './svaml.ts';

export interface SinchCallbacksOptions {
  client: CallbackClient;
  clock: Clock;
  log: Logger;
  rules: RecordingRules;
  /** Writes an event that is delivered in order and until it is taken. */
  send(event: OutgoingEvent): Promise<void>;
}

/** Whose call it is about. */
export interface Subject {
  application: SinchApplication;
  /** Of the call. */
  callId: string;
  custom: string | undefined;
}

export interface Question {
  use: Exclude<SvamlUse, 'manage'>;
  body: object;
  /** In place of the application's URLs. */
  inline: InlineCallback | undefined;
  /** Nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** `silent`: nobody was asked. */
export type Answer = { svaml: Svaml } | { failure: 'silent' | 'callback' | 'svaml' };

/** So many problems of one answer are told. */
const maxTold = 10;
const maxMessageCharacters = 500;

/** Asks an application what to do with its calls, and tells it what became of them. */
export class SinchCallbacks {
  readonly #options: SinchCallbacksOptions;
  readonly #sending = new Set<Promise<void>>();

  constructor(options: SinchCallbacksOptions) {
    this.#options = options;
  }

  /** The primary URL, then the fallback where that gives an error, nonsense or nothing in time. Never throws. */
  async ask(subject: Subject, question: Question): Promise<Answer> {
    const { inline } = question;
    if (inline?.kind === 'svaml') return { svaml: inline.svaml };
    const { primary, fallback } = subject.application.callbacks;
    const urls = inline ? [inline.url] : [primary, fallback].filter((url) => url !== undefined);
    let answer: Answer = { failure: 'silent' };
    for (const url of urls) {
      if (question.signal.aborted) break;
      answer = await this.#askAt(url, subject, question);
      if ('svaml' in answer) break;
    }
    return answer;
  }

  /** As an answer of the application's own, with what is wrong with it told. */
  read(subject: Subject, use: SvamlUse, source: unknown): Answer {
    const { svaml, problems } = loadSvaml(source, { ...this.#options.rules, use });
    this.#told(subject, problems);
    return svaml ? { svaml } : { failure: 'svaml' };
  }

  /** DICE and the like: delivered in order, and until it is taken. @param url in place of the application's */
  tell({ application, callId }: Subject, type: string, payload: object, url?: string): void {
    const { send, log } = this.#options;
    const { primary, fallback } = application.callbacks;
    const callbackUrl = url ?? primary ?? fallback;
    if (callbackUrl === undefined) return;
    const { accountId, key: signer } = application;
    const fallbackUrl = url === undefined && callbackUrl === primary ? fallback : undefined;
    const event = { accountId, conversationId: callId, type, dialect: 'sinch', payload, callbackUrl };
    const sending = send({ ...event, fallbackUrl, signer })
      .catch((error: unknown) =>
        log.error({ error, connectionId: callId, type }, 'an application could not be told'),
      )
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  /** When all that is to be told is on record. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /** Something that an answer or a request asked for was not done. */
  tellError(subject: Subject, errorCode: number, message: string): void {
    this.#tellProblem(subject, 'callingerror', errorCode, message);
  }

  /** What a document asks for and does not get. */
  tellWarnings(subject: Subject, warnings: readonly Problem[]): void {
    this.#told(subject, warnings);
  }

  #tellProblem(
    subject: Subject,
    type: 'callingerror' | 'callingwarning',
    errorCode: number,
    message: string,
  ): void {
    const errorMsg = message.slice(0, maxMessageCharacters);
    const body = callingErrorBody(subject, { errorCode, errorMsg, custom: subject.custom, type });
    this.tell(subject, 'notify', body);
  }

  async #askAt(url: string, subject: Subject, { use, body, signal }: Question): Promise<Answer> {
    const { client, clock, log } = this.#options;
    const text = JSON.stringify(body);
    try {
      const { key, secret } = subject.application;
      const headers = signedHeaders({ key, secret }, url, text, clock.unixMs());
      const answer = await client.request({ url, method: 'POST', headers, body: text, signal });
      return this.read(subject, use, jsonIn(answer, url));
    } catch (error) {
      if (!signal.aborted) log.warn({ error, connectionId: subject.callId, use }, 'a callback failed');
      return { failure: 'callback' };
    }
  }

  #told(subject: Subject, problems: readonly Problem[]): void {
    const { log } = this.#options;
    if (problems.length === 0) return;
    const { callId: connectionId, application } = subject;
    log.warn({ connectionId, application: application.key, problems }, 'SVAML is not done as it says');
    for (const { severity, code, message, path } of problems.slice(0, maxTold)) {
      const what = path === '' ? message : `${path}: ${message}`;
      // The vendor's `callingerror` of a missing destination has 40001, where its REST API has 40002.
      const told = severity === 'error' && code === 40002 ? 40001 : code;
      this.#tellProblem(subject, severity === 'error' ? 'callingerror' : 'callingwarning', told, what);
    }
  }
}

/** @throws CallreelError CALLBACK_FAILED */
function jsonIn({ status, body }: CallbackResponse, url: string): string {
  if (status >= 200 && status <= 299) return body;
  const where = displayUrl(parseUserUrl(url));
  // Its body may be SVAML with credentials in it: it is quoted nowhere.
  throw new CallreelError('CALLBACK_FAILED', `POST ${where}: answered ${status}`, { where });
}
