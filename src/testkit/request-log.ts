import { AssertionError } from 'node:assert';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Timer } from '../clock.ts';

export interface CallbackRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The bytes as they came: what a signature was made over. */
  rawBody: Buffer;
  /** The JSON value, a form's fields, or the text when it is neither. */
  body: unknown;
  /** Monotonic microseconds. */
  receivedUs: number;
}

interface Waiter {
  wants(request: CallbackRequest): boolean;
  resolve(request: CallbackRequest): void;
  fail(why: string): void;
  timer: Timer;
}

/** What a callback application was sent, and who waits for what. */
export class RequestLog {
  /** Errors thrown by handlers or connections: a test that expects none looks here. */
  readonly failures: unknown[] = [];
  readonly #clock: Clock;
  readonly #requests: CallbackRequest[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(request: CallbackRequest): void {
    this.#requests.push(request);
    for (const waiter of this.#waiters) {
      if (!waiter.wants(request)) continue;
      this.#drop(waiter);
      waiter.resolve(request);
    }
  }

  all(path?: string): CallbackRequest[] {
    return this.#requests.filter((request) => path === undefined || request.path === path);
  }

  /** @throws AssertionError after the time-out */
  waitFor(
    path: string,
    predicate: (body: unknown, request: CallbackRequest) => boolean,
    timeoutMs: number,
  ): Promise<CallbackRequest> {
    const wants = (request: CallbackRequest) => request.path === path && predicate(request.body, request);
    const past = this.#requests.find(wants);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        this.#drop(waiter);
        reject(new AssertionError({ message: `no such request to ${path} ${why}; ${this.#summary(path)}` }));
      };
      const timer = this.#clock.after(timeoutMs, () => fail(`within ${timeoutMs} ms`));
      const waiter: Waiter = { wants, resolve, fail, timer };
      this.#waiters.add(waiter);
    });
  }

  /** Fails whoever still waits. */
  close(): void {
    for (const waiter of this.#waiters) waiter.fail('before the application was closed');
  }

  #drop(waiter: Waiter): void {
    waiter.timer.cancel();
    this.#waiters.delete(waiter);
  }

  #summary(path: string): string {
    const same = this.all(path);
    if (same.length > 0)
      return `${same.length} others came to it, the last with ${JSON.stringify(same.at(-1)!.body).slice(0, 300)}`;
    const paths = [...new Set(this.#requests.map((request) => request.path))];
    return paths.length > 0 ? `requests came only to ${paths.join(', ')}` : 'no request came at all';
  }
}
