import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { CallbackRequest } from './request-log.ts';
import { RequestLog } from './request-log.ts';

/** An answer that is more than a JSON value with status 200; made by `answer`. */
export class CallbackAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string>) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export function answer(status: number, body?: unknown, headers: Record<string, string> = {}): CallbackAnswer {
  return new CallbackAnswer(status, body, headers);
}

/**
 * Gives the JSON value to answer with, or an `answer`; it may take its time. `undefined` answers 204.
 * `Body` is what the test expects to be sent; nothing checks it.
 */
export type CallbackHandler<Body> = (body: Body, request: CallbackRequest) => unknown;

const maxBodyBytes = 1 << 20;

/**
 * A user's application as a real HTTP server on a free port: answers by registered handlers, records every request,
 * and 404s what nobody registered.
 */
export class CallbackApp {
  readonly log: RequestLog;
  readonly #clock: Clock;
  readonly #handlers = new Map<string, CallbackHandler<unknown>>();
  readonly #server: Server;
  #baseUrl = '';

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.log = new RequestLog(clock);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async create({ host = '127.0.0.1', clock = systemClock } = {}): Promise<CallbackApp> {
    const app = new CallbackApp(clock);
    await new Promise<void>((resolve, reject) => {
      app.#server.once('error', reject);
      app.#server.listen(0, host, resolve);
    });
    app.#baseUrl = `http://${host}:${(app.#server.address() as AddressInfo).port}`;
    return app;
  }

  /** The address to give to the server under test. */
  url(path: string): string {
    return this.#baseUrl + path;
  }

  /** Registers or replaces the handler of a path. */
  on<Body>(path: string, handler: CallbackHandler<Body>): this {
    this.#handlers.set(path, handler as CallbackHandler<unknown>);
    return this;
  }

  /** Every request so far, oldest first; of one path when given. */
  requests(path?: string): CallbackRequest[] {
    return this.log.all(path);
  }

  /**
   * The first request of `path`, past or to come, that the predicate wants.
   * @throws AssertionError after the time-out, with what came instead
   */
  waitFor<Body>(
    path: string,
    predicate: (body: Body, request: CallbackRequest) => boolean = () => true,
    timeoutMs = 30_000,
  ): Promise<CallbackRequest> {
    return this.log.waitFor(path, predicate as (body: unknown) => boolean, timeoutMs);
  }

  async close(): Promise<void> {
    this.log.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const request = await this.#read(incoming);
      if (!request) return respond(response, answer(413));
      this.log.add(request);
      const handler = this.#handlers.get(request.path);
      const given = handler ? await handler(request.body, request) : answer(404);
      respond(
        response,
        given instanceof CallbackAnswer ? given : answer(given === undefined ? 204 : 200, given),
      );
    } catch (error) {
      // A handler that throws, or a peer that went away in mid-body.
      this.log.failures.push(error);
      if (!response.headersSent) respond(response, answer(500, { error: String(error) }));
    }
  }

  async #read(incoming: IncomingMessage): Promise<CallbackRequest | undefined> {
    const receivedUs = this.#clock.monotonicUs();
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) return undefined;
      chunks.push(chunk);
    }
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const rawBody = Buffer.concat(chunks);
    return {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      rawBody,
      body: parseBody(rawBody, incoming.headers['content-type'] ?? ''),
      receivedUs,
    };
  }
}

function parseBody(rawBody: Buffer, contentType: string): unknown {
  const text = rawBody.toString();
  if (contentType.startsWith('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function respond(response: ServerResponse, { status, body, headers }: CallbackAnswer): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}
