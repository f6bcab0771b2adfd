import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticateBasic } from '../auth/basic.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { LinkSigner } from '../auth/signed-link.ts';
import { ReadGroup } from '../database/read-group.ts';
import { getRecordings } from '../database/recordings.ts';
import type { Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { createHttpServer, type VendorAnswer } from './http-server.ts';
import { Idempotency } from './idempotency.ts';
import { KeptAnswers } from './kept-answers.ts';
import {
  channelPath,
  conversationPath,
  filePath,
  mediaRoutes,
  mixPath,
  sendFile,
  stereoPath,
} from './media-routes.ts';
import type { MediaUrl } from './media-url.ts';
import { metricsRoute } from './metrics-route.ts';
import type { MetricSource } from './metrics-text.ts';
import { type NativeRoutesOptions, nativeRoutes } from './native-routes.ts';
import { collectRoutes, openApiRoute } from './openapi.ts';
import type { DescribedRoute } from './openapi-operation.ts';

export interface ApiOptions extends Omit<NativeRoutesOptions, 'accountId' | 'mediaUrl' | 'recordingOf'> {
  credentials: Credentials;
  links: LinkSigner;
  /** Of `GET /metrics`. */
  metricSources: readonly MetricSource[];
  /** Base of links; known once the server listens. */
  publicUrl(): string;
  /** Dialects' own routes, behind the same authentication. */
  dialects: ((app: FastifyInstance, mediaUrl: MediaUrl) => void)[];
  /** Dialects' routes that let in by themselves. */
  open: ((app: FastifyInstance, files: RecordingFileAnswers) => void)[];
  /** What a dialect says to a path of its own that cannot be read. */
  unreadable?(path: string): VendorAnswer | undefined;
}

/** What a route needs that answers with files of recordings. */
export interface RecordingFileAnswers {
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
  /** The file that it was started for; 202 before its end. */
  sendFile(request: FastifyRequest, reply: FastifyReply, recording: Recording): Promise<FastifyReply>;
}

const linkLifetimeMs = 24 * 3600 * 1000;

/** Every route of this node: signed links, and behind HTTP Basic the native API and the dialects'. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { log, clock, db, credentials, calls, links, publicUrl } = options;
  const { accountId } = credentials;
  const http = createHttpServer(log, clock, options.unreadable);
  // Many files are fetched at once: of calls that ended together, and of each recording more than one.
  const recordings = new ReadGroup((recordingIds) => getRecordings(db, accountId, recordingIds));
  const recordingOf = async (recordingId: string): Promise<Recording> => {
    const row = await recordings.get(recordingId);
    if (!row) throw new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
    if (!row.erasedAt) return row;
    throw new CallreelError('RECORDING_ERASED', `it was erased at ${row.erasedAt.toISOString()}`, {
      where: recordingId,
    });
  };
  mediaRoutes(http, { ...options, recordingOf });
  const files: RecordingFileAnswers = {
    recordingOf,
    sendFile: (request, reply, recording) => sendFile(request, reply, recording, options),
  };
  for (const routes of options.open)
    http.register((app, _options, done) => {
      routes(app, files);
      done();
    });
  const pathsOfMix = {
    recording: mixPath,
    stereo: stereoPath,
    conversation: conversationPath,
    file: filePath,
  };
  const mediaUrl: MediaUrl = (recordingId, trackId, format, mix = 'recording') => {
    const path =
      trackId === undefined
        ? pathsOfMix[mix](recordingId, format)
        : channelPath(recordingId, trackId, format);
    return publicUrl() + links.sign(path, clock.unixMs() + linkLifetimeMs);
  };
  const idempotency = new Idempotency(new KeptAnswers({ ...options, accountId }), log);
  const described: DescribedRoute[] = [];
  openApiRoute(http, described);
  http.get('/health', () => ({ status: 'ok', ...calls.counts }));
  http.register((app, _options, done) => {
    app.addHook('onRequest', (request, _reply, next) => {
      authenticateBasic(request.headers.authorization, credentials);
      next();
    });
    metricsRoute(app, options);
    app.register((native, _nativeOptions, nativeDone) => {
      native.addHook('preHandler', (request, reply, next) => {
        if (!idempotency.concerns(request)) return next();
        idempotency.begin(request, reply).then((isFirst) => isFirst && next(), next);
      });
      native.addHook('onSend', async (request, reply, payload) => {
        await idempotency.end(request, reply.statusCode, payload);
        return payload;
      });
      collectRoutes(native, described);
      nativeRoutes(native, { ...options, accountId, mediaUrl, recordingOf });
      nativeDone();
    });
    for (const routes of options.dialects) routes(app, mediaUrl);
    done();
  });
  return http;
}
