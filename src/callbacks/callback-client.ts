import { Agent, request as undiciRequest } from 'undici';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { AddressGuard } from './address-guard.ts';
import { type AudioRequest, type AudioResponse, downloadAudio } from './audio-download.ts';
import { authorizationHeader, displayUrl, parseUserUrl, withoutUserInfo } from './user-url.ts';

export interface CallbackOptions {
  guard: AddressGuard;
  /** For the whole exchange, from the name look-up to the last byte. */
  timeoutMs: number;
  /** Of an answer's body. */
  maxBytes: number;
  clock: Clock;
}

export interface CallbackRequest {
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
  /** For the whole exchange, where it is less than the client's own. */
  timeoutMs?: number;
}

export interface CallbackResponse {
  status: number;
  contentType: string;
  /** In order; one that came several times stands there as often. */
  headers: { name: string; value: string }[];
  /** As UTF-8. */
  body: string;
}

const userAgent = 'Callreel';
const shownBodyCharacters = 200;

/**
 * The one client for every URL a user gave. It follows no redirect, reads no more than it must, ends in time, and
 * reaches only addresses the guard permits.
 */
export class CallbackClient {
  readonly #options: CallbackOptions;
  readonly #agent: Agent;
  /** Without a limit on the size: each audio request has its own. */
  readonly #audioAgent: Agent;

  constructor(options: CallbackOptions) {
    const { timeoutMs, maxBytes, guard } = options;
    this.#options = options;
    this.#agent = new Agent({
      connect: { timeout: timeoutMs, lookup: guard.lookup },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: maxBytes,
      allowH2: false,
    });
    this.#audioAgent = new Agent({
      connect: { timeout: timeoutMs, lookup: guard.lookup },
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    });
  }

  /**
   * One exchange; every status is an answer.
   * @throws CallreelError CALLBACK_FAILED, CALLBACK_FORBIDDEN, REQUEST_INVALID (the URL)
   */
  async request({
    url,
    method,
    headers = {},
    body,
    signal,
    timeoutMs = this.#options.timeoutMs,
  }: CallbackRequest): Promise<CallbackResponse> {
    const target = parseUserUrl(url);
    const shown = `${method} ${displayUrl(target)}`;
    this.#options.guard.checkHost(target.hostname);
    const deadline = new AbortController();
    const limitMs = Math.min(timeoutMs, this.#options.timeoutMs);
    const timer = this.#options.clock.after(limitMs, () => deadline.abort());
    try {
      const response = await undiciRequest(withoutUserInfo(target), {
        dispatcher: this.#agent,
        method,
        headers: { 'user-agent': userAgent, ...authorizationHeader(target), ...headers },
        body: body ?? null,
        signal: signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
      });
      const contentType = String(response.headers['content-type'] ?? '');
      const given = headerList(response.headers);
      return { status: response.statusCode, contentType, headers: given, body: await response.body.text() };
    } catch (cause) {
      if (cause instanceof CallreelError) throw cause;
      const what = deadline.signal.aborted ? this.#tooLate(limitMs) : this.#describe(cause);
      throw new CallreelError('CALLBACK_FAILED', `${shown}: ${what}`, { where: displayUrl(target), cause });
    } finally {
      timer.cancel();
    }
  }

  /**
   * POSTs a JSON document and gives the JSON answer; undefined for an empty one.
   * @throws CallreelError as `request`, and CALLBACK_FAILED for a status other than 2xx or an answer that is not JSON
   */
  async postJson(url: string, document: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const answer = await this.request({
      url,
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(document),
    });
    const shown = displayUrl(parseUserUrl(url));
    const fail = (what: string) =>
      new CallreelError('CALLBACK_FAILED', `POST ${shown}: ${what}`, { where: shown });
    if (answer.status >= 300 && answer.status < 400)
      throw fail(`answered ${answer.status}; redirects are not followed`);
    if (answer.status < 200 || answer.status > 299)
      throw fail(`answered ${answer.status}: ${answer.body.slice(0, shownBodyCharacters)}`);
    if (answer.body.trim() === '') return undefined;
    try {
      return JSON.parse(answer.body);
    } catch {
      throw fail(`the answer is not JSON: ${answer.body.slice(0, shownBodyCharacters)}`);
    }
  }

  /**
   * A binary file of a URL; every other answer than the file is an error.
   * @throws CallreelError AUDIO_UNREACHABLE, AUDIO_TOO_LONG, CALLBACK_FORBIDDEN, REQUEST_INVALID (the URL)
   * @throws the signal's reason
   */
  fetchAudio(request: AudioRequest): Promise<AudioResponse> {
    const { guard, clock } = this.#options;
    return downloadAudio({ guard, clock, dispatcher: this.#audioAgent, userAgent }, request);
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#audioAgent.destroy()]);
  }

  #tooLate(limitMs = this.#options.timeoutMs): string {
    return `no complete answer within ${limitMs} ms`;
  }

  #describe(cause: unknown): string {
    const code = String((cause as { code?: unknown }).code);
    if (code.endsWith('_TIMEOUT')) return this.#tooLate();
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
      return `the answer is longer than ${this.#options.maxBytes} bytes`;
    if (cause instanceof AggregateError) return cause.errors.map((error) => this.#describe(error)).join('; ');
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function headerList(
  headers: Record<string, string | string[] | undefined>,
): { name: string; value: string }[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((each) => ({ name, value: each })),
  );
}
