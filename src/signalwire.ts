import type { FastifyInstance } from 'fastify';
import type { RecordingFileAnswers } from './api/api.ts';
import { authenticateBasic } from './auth/basic.ts';
import type { CallPlacer } from './call/call-placer.ts';
import type { LiveCalls } from './call/live-calls.ts';
import type { RecordingEraser } from './call/recording-eraser.ts';
import { DocumentFetcher } from './dialects/signalwire/fetch.ts';
import { signalwireRoutes } from './dialects/signalwire/routes.ts';
import { downloadRoutes } from './dialects/signalwire/routes-download.ts';
import { StatusCallbacks } from './dialects/signalwire/status-callbacks.ts';
import { SwmlSessions } from './dialects/signalwire/swml-sessions.ts';
import type { Foundation } from './foundation.ts';
import type { VerbPerformer } from './script/performer.ts';

/** The SignalWire dialect, over live calls. */
export interface Signalwire {
  performer: VerbPerformer;
  sessions: SwmlSessions;
  statuses: StatusCallbacks;
}

export function openSignalwire(foundation: Foundation, performer: VerbPerformer): Signalwire {
  const { credentials, callbacks, directory, signalwire } = foundation;
  const { accountId } = credentials;
  const statuses = new StatusCallbacks({
    ...foundation,
    identity: signalwire.identity,
    statusUrl: signalwire.statusUrl,
    post: ({ callId, url, type, body, form = 'signalwire' }) =>
      directory.event({
        ...{ accountId, conversationId: callId, type, dialect: form },
        ...{ payload: body, callbackUrl: url },
      }),
  });
  const documents = new DocumentFetcher(callbacks, signalwire.signingKey);
  const sessions = new SwmlSessions({ ...foundation, ...signalwire, performer, documents, statuses });
  return { performer, sessions, statuses };
}

export interface SignalwireDoorOptions {
  calls: LiveCalls;
  placer: CallPlacer;
  eraser: RecordingEraser;
  signalwire: Signalwire;
}

/** Its HTTP routes: those behind authentication, and those that let in by themselves. */
export function signalwireDoors(foundation: Foundation, options: SignalwireDoorOptions) {
  const { credentials, log, signalwire } = foundation;
  const { accountId } = credentials;
  const parts = { ...foundation, ...signalwire, ...options, ...options.signalwire, accountId };
  return {
    routes: (app: FastifyInstance) => signalwireRoutes(app, parts),
    download: (app: FastifyInstance, files: RecordingFileAnswers) =>
      downloadRoutes(app, {
        ...files,
        log,
        links: signalwire.links,
        authenticate: ({ headers }) => authenticateBasic(headers.authorization, credentials),
      }),
  };
}
