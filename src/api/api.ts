import type { FastifyInstance } from 'fastify';
import { authenticateBasic } from '../auth/basic.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { LinkSigner } from '../auth/signed-link.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Clock } from '../clock.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import type { Logger } from '../logger.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import { createHttpServer } from './http-server.ts';
import { liveRoutes } from './live-routes.ts';
import { channelPath, mediaRoutes, mixPath } from './media-routes.ts';

export interface ApiOptions {
  log: Logger;
  clock: Clock;
  db: Db;
  credentials: Credentials;
  calls: LiveCalls;
  links: LinkSigner;
  renders: RenderPool;
  /** Base of links; known once the server listens. */
  publicUrl(): string;
  /** Dialects' own routes, behind the same authentication. */
  dialects: ((app: FastifyInstance, mediaUrl: MediaUrl) => void)[];
}

/** Makes the signed URL of one file of a recording; without a track, the mix. */
export type MediaUrl = (recordingId: string, trackId: string | undefined, format: 'wav' | 'mp3') => string;

const linkLifetimeMs = 24 * 3600 * 1000;

/** Every route of this node: signed links, and behind HTTP Basic the native API and the dialects'. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { log, clock, db, credentials, calls, links, renders, publicUrl } = options;
  const { accountId } = credentials;
  const http = createHttpServer(log, clock);
  mediaRoutes(http, {
    log,
    links,
    clock,
    calls,
    renders,
    conversationOf: async (recordingId) => (await getRecording(db, accountId, recordingId))?.conversationId,
  });
  const mediaUrl: MediaUrl = (recordingId, trackId, format) => {
    const path =
      trackId === undefined ? mixPath(recordingId, format) : channelPath(recordingId, trackId, format);
    return publicUrl() + links.sign(path, clock.unixMs() + linkLifetimeMs);
  };
  http.get('/health', () => ({ status: 'ok', ...calls.counts }));
  http.register((app, _options, done) => {
    app.addHook('onRequest', (request, _reply, next) => {
      authenticateBasic(request.headers.authorization, credentials);
      next();
    });
    liveRoutes(app, { accountId, calls });
    for (const routes of options.dialects) routes(app, mediaUrl);
    done();
  });
  return http;
}
