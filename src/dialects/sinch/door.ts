import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Credentials } from '../../auth/credentials.ts';
import { printable } from '../../call/connection.ts';
import type { Clock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Logger } from '../../logger.ts';
import type { SinchApplication, SinchApplications } from './application.ts';
import { SinchError, sinchErrorOf } from './errors.ts';
import { type GivenCredentials, type ReceivedRequest, readAuthorization } from './signature.ts';

export interface SinchDoorOptions {
  clock: Clock;
  log: Logger;
  credentials: Credentials;
  applications: SinchApplications;
}

/** A request whose sender is known. */
export interface SinchRequest {
  application: SinchApplication;
  /** The server's own application, which reaches what every application has. */
  isOwner: boolean;
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  /** What the JSON says; undefined without a body. */
  body: unknown;
  raw: FastifyRequest;
  reply: FastifyReply;
}

/** @returns the body of the answer; undefined: an empty object */
type SinchHandler = (request: SinchRequest) => Promise<object | undefined>;

export const maxBodyBytes = 256 * 1024;
/** Of a name in the store. */
const maxIdCharacters = 1024;
const methods: HTTPMethods[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Routes as the vendor's clients know them: whoever asks is an application, and every error is the vendor's. */
export class SinchDoor {
  readonly #app: FastifyInstance;
  readonly #options: SinchDoorOptions;

  /** @param app a plugin of its own: its bodies and its errors are of the vendor */
  constructor(app: FastifyInstance, options: SinchDoorOptions) {
    this.#app = app;
    this.#options = options;
    // Signatures are over the bytes: what they say is read behind authentication.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (_request, body, done) =>
      done(null, body),
    );
    app.setErrorHandler<FastifyError>((cause, request, reply) => this.#refuse(cause, request, reply));
  }

  route(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, handler: SinchHandler): void {
    this.#app.route({
      method,
      url,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const answer = await handler(await this.identified(request, reply));
        return reply.sent ? reply : reply.send(answer ?? {});
      },
    });
  }

  /** Lets in by itself. */
  openRoute(
    method: 'GET',
    url: string,
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
  ): void {
    this.#app.route({
      ...{ method, url, exposeHeadRoute: false },
      handler: async (request, reply) => {
        checkedParams(request.params as Record<string, string>);
        return await handler(request, reply);
      },
    });
  }

  /** What stands there and is none of the others. */
  nothingElse(url: string): void {
    const handler = (): never => {
      throw new SinchError(40400);
    };
    this.#app.route({ method: methods, url, exposeHeadRoute: false, handler });
  }

  /** @throws SinchError 40108, 40301, 40003 (a body that is no JSON) */
  async identified(request: FastifyRequest, reply: FastifyReply): Promise<SinchRequest> {
    const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const application = await this.#sender(request, content);
    return {
      application,
      isOwner: application.key === this.#options.credentials.accountId,
      params: checkedParams(request.params as Record<string, string>),
      query: request.query as Record<string, unknown>,
      body: parsed(content),
      raw: request,
      reply,
    };
  }

  async #sender({ raw, method, headers }: FastifyRequest, body: Uint8Array): Promise<SinchApplication> {
    const { clock, credentials, applications } = this.#options;
    const path = (raw.url ?? '').split('?')[0] ?? '';
    const received: ReceivedRequest = { method, path, headers, body };
    const given = readAuthorization(received, clock.unixMs());
    const application = await applications.find(given.applicationKey);
    if (!application) throw new SinchError(40108);
    const proofs = [() => given.prove(application.secret)];
    // A client signs the path as it has it, and percent-encodes it on its way.
    const decoded = decodedPath(path);
    if (decoded !== path)
      proofs.push(() => signedAs({ ...received, path: decoded }, clock).prove(application.secret));
    // The account's token is known in either form, where it stands in the header as it is.
    if (application.key === credentials.accountId && /^basic /i.test(headers.authorization ?? ''))
      proofs.push(() => given.prove(credentials.authToken));
    if (!proofs.some(holds)) throw new SinchError(40108);
    return application;
  }

  #refuse(cause: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const error = vendorErrorOf(cause);
    const reference = newId();
    const told = { reference, errorCode: error.code, error: cause, path: request.routeOptions.url };
    if (error.status >= 500) this.#options.log.error(told, 'a request failed');
    else this.#options.log.debug(told, 'a request was refused');
    if (error.status === 401) void reply.header('www-authenticate', 'Basic realm="callreel"');
    return reply.code(error.status).send(error.body(reference));
  }
}

function vendorErrorOf(cause: FastifyError): SinchError {
  if (cause instanceof SinchError) return cause;
  if (cause instanceof CallreelError) return sinchErrorOf(cause);
  if ((cause.statusCode ?? 500) < 500) return new SinchError(40003, printable(cause.message));
  return new SinchError(50000);
}

function signedAs(request: ReceivedRequest, clock: Clock): GivenCredentials {
  return readAuthorization(request, clock.unixMs());
}

function holds(proof: () => void): boolean {
  try {
    proof();
    return true;
  } catch (error) {
    if (error instanceof SinchError) return false;
    throw error;
  }
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** What the database could not hold is nobody's id. */
function checkedParams(params: Record<string, string>): Record<string, string> {
  for (const value of Object.values(params))
    if (value.length > maxIdCharacters || value.includes('\0') || !value.isWellFormed())
      throw new SinchError(40400);
  return params;
}

function parsed(content: Buffer): unknown {
  const text = content.toString('utf8').replace(/^\ufeff/, '');
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new SinchError(40003, 'The body is not JSON');
  }
}
