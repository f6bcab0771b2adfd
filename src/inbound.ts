import type { LiveCalls } from './call/live-calls.ts';
import type { Db } from './database/schema.ts';
import type { SiftIncoming } from './dialects/sift/incoming.ts';
import { CallreelError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { DialPlans } from './routing/dial-plan.ts';
import { findApplication } from './routing/router.ts';
import type { SipSession } from './sip/session.ts';
import { parseSipUri } from './sip/uri.ts';

export interface InboundOptions {
  accountId: string;
  db: Db;
  dialPlans: DialPlans;
  calls: LiveCalls;
  sift: SiftIncoming;
  log: Logger;
}

/** Takes an INVITE to the application that serves the called number. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Never throws; whatever fails refuses the call. */
  invited(session: SipSession): void {
    const { calls, log } = this.#options;
    const leg = calls.incoming(session);
    this.#serve(session, leg).catch((error: unknown) => {
      const known = error instanceof CallreelError;
      log[known ? 'warn' : 'error']({ error, connectionId: leg.id }, 'a call was refused');
      leg.reject(known ? error.status : 503, known ? error.code : 'Service Unavailable');
    });
  }

  async #serve(session: SipSession, leg: ReturnType<LiveCalls['incoming']>): Promise<void> {
    const { accountId, db, dialPlans, sift } = this.#options;
    await dialPlans.admitInbound(accountId, session.peer.address);
    const called = parseSipUri(session.requestUri)?.user ?? session.to.user;
    const application = await findApplication(db, { user: called });
    if (!application)
      throw new CallreelError('NOT_FOUND', 'no application serves the called number', {
        where: called.slice(0, 64),
      });
    // From here on the dialect answers for the call, to its end.
    void sift.answer(leg, application);
  }
}
