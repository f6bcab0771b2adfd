import type { Socket } from 'node:net';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { printable } from '../call/connection.ts';
import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { assertSaneInput } from '../sane-input.ts';
import { acceptForms } from './form-body.ts';

const maxBodyBytes = 1024 * 1024;
/** As long as Node lets the head of a request be: what a parameter may be is said by its schema, behind authentication. */
const maxParamLength = 16 * 1024;
const maxHeaderTimeMs = 10_000;
/** What is not there now may be so soon. */
const retryAfterSeconds = 10;
const idleSweepMs = 20;
/** What a download that is under way when the server closes may still take. */
const closeGraceMs = 5000;

/** An answer in a vendor's own form. */
export interface VendorAnswer {
  status: number;
  body: object;
}

/**
 * The bare HTTP server with what every route shares: validation by zod and the catalogue's error bodies.
 * @param unreadable what a vendor would say to a path that cannot be read; undefined where it is none of theirs
 */
export function createHttpServer(
  log: Logger,
  clock: Clock,
  unreadable: (path: string) => VendorAnswer | undefined = () => undefined,
): FastifyInstance {
  const app = Fastify({
    bodyLimit: maxBodyBytes,
    connectionTimeout: 0,
    requestTimeout: maxHeaderTimeMs,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength },
    // Of paths that cannot be read, before any route and hook.
    frameworkErrors: (cause, request, reply: FastifyReply) => {
      const theirs = unreadable(request.url);
      if (theirs) return reply.code(theirs.status).send(theirs.body);
      const error = toCatalogued(cause);
      return reply.code(error.status).send({ error: error.toJSON() });
    },
  });
  closeInTime(app, clock);
  // Whatever it is that is not there now, the client asks again in time.
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 503 && !reply.hasHeader('retry-after'))
      void reply.header('retry-after', retryAfterSeconds);
  });
  acceptForms(app);
  app.setValidatorCompiler((route) => {
    const validate = validatorCompiler(route as Parameters<typeof validatorCompiler>[0]);
    return (input: unknown) => {
      assertSaneInput(input, route.httpPart ?? 'request');
      // A request without a body: Fastify says null.
      return validate(route.httpPart === 'body' ? (input ?? undefined) : input);
    };
  });
  app.setSerializerCompiler(serializerCompiler);
  app.setNotFoundHandler((request, reply) => {
    // The query may hold a signature: only the path is repeated.
    const path = request.url.split('?')[0];
    const error = new CallreelError('NOT_FOUND', `nothing answers ${request.method} ${path}`);
    return reply.code(404).send({ error: error.toJSON() });
  });
  app.setErrorHandler<FastifyError>((cause, request, reply) => {
    const error = toCatalogued(cause);
    if (error.blame === 'ours')
      log.error({ error: cause, path: request.routeOptions.url }, 'a request failed');
    if (error.status === 401) void reply.header('www-authenticate', 'Basic realm="callreel"');
    return reply.code(error.status).send({ error: error.toJSON() });
  });
  return app;
}

/**
 * Node's own close waits for connections on which nothing was ever asked (a client's pool opens them in advance), for
 * those that fall idle after it began, and for clients that do not read what they asked for.
 */
function closeInTime(app: FastifyInstance, clock: Clock): void {
  const unused = new Set<Socket>();
  app.server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => void unused.delete(socket));
  app.addHook('preClose', (done) => {
    const deadlineUs = clock.monotonicUs() + closeGraceMs * 1000;
    let timer: Timer;
    const sweep = (): void => {
      for (const socket of unused) socket.destroy();
      if (clock.monotonicUs() > deadlineUs) app.server.closeAllConnections();
      else app.server.closeIdleConnections();
      timer = clock.after(idleSweepMs, sweep);
    };
    sweep();
    app.server.once('close', () => timer.cancel());
    done();
  });
}

function toCatalogued(cause: FastifyError): CallreelError {
  if (cause instanceof CallreelError) return cause;
  if (cause.validation) {
    const [first] = cause.validation;
    const [unknown] = first?.keyword === 'unrecognized_keys' ? (first.params.keys as string[]) : [];
    const path = [first?.instancePath.slice(1).replaceAll('/', '.'), unknown].filter(Boolean).join('.');
    const message = unknown === undefined ? (first?.message ?? cause.message) : 'there is no such field';
    return new CallreelError('REQUEST_INVALID', message, {
      where: printable(`${cause.validationContext ?? 'request'}${path ? `.${path}` : ''}`),
    });
  }
  if ((cause.statusCode ?? 500) < 500)
    return new CallreelError('REQUEST_INVALID', cause.message, { where: 'request' });
  return new CallreelError('INTERNAL', 'an unexpected error', { cause });
}
