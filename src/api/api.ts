import type { FastifyInstance } from 'fastify';
import { authenticateBasic } from '../auth/basic.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { LinkSigner } from '../auth/signed-link.ts';
import type { CallRecords } from '../call/call-records.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Clock } from '../clock.ts';
import { getRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import type { Logger } from '../logger.ts';
import type { DialPlans } from '../routing/dial-plan.ts';
import type { TrunkRegistrations } from '../routing/trunk-registrations.ts';
import type { Secret } from '../secret.ts';
import type { CaptureExport } from '../worker/capture-export.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import { callRoutes } from './call-routes.ts';
import { connectionRoutes } from './connection-routes.ts';
import { dialPermissionRoutes } from './dial-permission-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { createHttpServer } from './http-server.ts';
import { liveRoutes } from './live-routes.ts';
import { channelPath, conversationPath, mediaRoutes, mixPath } from './media-routes.ts';
import type { MediaUrl } from './media-url.ts';
import { recordingRoutes } from './recording-routes.ts';
import { trunkRoutes } from './trunk-routes.ts';

export interface ApiOptions {
  log: Logger;
  clock: Clock;
  db: Db;
  credentials: Credentials;
  calls: LiveCalls;
  links: LinkSigner;
  renders: RenderPool;
  records: CallRecords;
  captures: CaptureExport;
  dialPlans: DialPlans;
  registrations: TrunkRegistrations;
  /** Seals what users entrust to us. */
  masterKey: Secret<Buffer>;
  /** Sends an event once more. @throws CallreelError NOT_FOUND, CONFLICT */
  replayEvent(eventId: string): Promise<void>;
  /** Base of links; known once the server listens. */
  publicUrl(): string;
  /** Dialects' own routes, behind the same authentication. */
  dialects: ((app: FastifyInstance, mediaUrl: MediaUrl) => void)[];
}

const linkLifetimeMs = 24 * 3600 * 1000;

/** Every route of this node: signed links, and behind HTTP Basic the native API and the dialects'. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const { log, clock, db, credentials, calls, links, renders, publicUrl, dialPlans, masterKey } = options;
  const { registrations, records, captures } = options;
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
  const mediaUrl: MediaUrl = (recordingId, trackId, format, mixBegins) => {
    const pathOfMix = mixBegins === 'conversation' ? conversationPath : mixPath;
    const path =
      trackId === undefined ? pathOfMix(recordingId, format) : channelPath(recordingId, trackId, format);
    return publicUrl() + links.sign(path, clock.unixMs() + linkLifetimeMs);
  };
  http.get('/health', () => ({ status: 'ok', ...calls.counts }));
  http.register((app, _options, done) => {
    app.addHook('onRequest', (request, _reply, next) => {
      authenticateBasic(request.headers.authorization, credentials);
      next();
    });
    liveRoutes(app, { accountId, calls });
    recordingRoutes(app, { accountId, db, mediaUrl });
    eventRoutes(app, { accountId, db, replay: options.replayEvent });
    trunkRoutes(app, { accountId, db, clock, masterKey, registrations });
    connectionRoutes(app, { accountId, db });
    callRoutes(app, { accountId, log, records, captures });
    dialPermissionRoutes(app, {
      accountId,
      db,
      routeOutbound: (account, target) => dialPlans.routeOutbound(account, target),
    });
    for (const routes of options.dialects) routes(app, mediaUrl);
    done();
  });
  return http;
}
