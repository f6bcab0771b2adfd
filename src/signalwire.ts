import { DocumentFetcher } from './dialects/signalwire/fetch.ts';
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
  const { credentials, callbacks, outbox, signalwire } = foundation;
  const { accountId } = credentials;
  const statuses = new StatusCallbacks({
    ...foundation,
    identity: signalwire.identity,
    post: async ({ callId, url, type, body }) => {
      await outbox.transaction((trx) =>
        outbox.insert(trx, {
          ...{ accountId, conversationId: callId, type, dialect: 'signalwire' },
          ...{ payload: body, callbackUrl: url },
        }),
      );
    },
  });
  const documents = new DocumentFetcher(callbacks, signalwire.signingKey);
  const sessions = new SwmlSessions({ ...foundation, ...signalwire, performer, documents, statuses });
  return { performer, sessions, statuses };
}
