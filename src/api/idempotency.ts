import type { FastifyReply, FastifyRequest } from 'fastify';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { KeptAnswer, KeptAnswers, RunningRequest } from './kept-answers.ts';

const header = 'idempotency-key';
const keyPattern = /^[\x20-\x7e]{1,255}$/;
const retryAfterSeconds = '1';

/**
 * The header `Idempotency-Key` on requests that change something: the same request with the same key is done once and
 * answered alike each time (`kept-answers.ts`). What fails on our side is not kept: nothing, or not all, was done.
 */
export class Idempotency {
  readonly #answers: KeptAnswers;
  readonly #log: Logger;
  readonly #running = new WeakMap<FastifyRequest, RunningRequest>();

  constructor(answers: KeptAnswers, log: Logger) {
    this.#answers = answers;
    this.#log = log;
  }

  concerns({ method, headers }: FastifyRequest): boolean {
    return (method === 'POST' || method === 'DELETE') && headers[header] !== undefined;
  }

  /**
   * Before the handler, once the request is known to be well-formed.
   * @returns false when it was answered in the handler's place, as the first time
   * @throws CallreelError REQUEST_INVALID, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE, CONFLICT
   */
  async begin(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const key = String(request.headers[header]);
    if (!keyPattern.test(key))
      throw new CallreelError('REQUEST_INVALID', 'a key is 1 to 255 printable ASCII characters', {
        where: `headers.${header}`,
      });
    const { method, url, body } = request;
    try {
      const outcome = await this.#answers.begin(key, { method, url, body });
      if (outcome.kind === 'first') this.#running.set(request, outcome.request);
      else replay(reply, outcome.answer);
      return outcome.kind === 'first';
    } catch (error) {
      if (error instanceof CallreelError && error.code === 'IDEMPOTENCY_KEY_IN_USE')
        void reply.header('retry-after', retryAfterSeconds);
      throw error;
    }
  }

  /** With what is about to be sent: it is kept before it goes out. */
  async end(request: FastifyRequest, status: number, payload: unknown): Promise<void> {
    const running = this.#running.get(request);
    if (!running) return;
    this.#running.delete(request);
    const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : '';
    try {
      if (status >= 500) await running.release();
      else await running.finish({ status, body });
    } catch (error) {
      this.#log.error({ error, path: request.routeOptions.url }, 'an answer could not be kept for its key');
    }
  }
}

function replay(reply: FastifyReply, { status, body }: KeptAnswer): void {
  void reply.code(status).header('idempotency-replayed', 'true');
  if (body === '') void reply.send();
  else void reply.type('application/json; charset=utf-8').send(Buffer.from(body));
}
