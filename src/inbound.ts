import { printable } from './call/connection.ts';
import type { Leg } from './call/leg.ts';
import type { LiveCalls } from './call/live-calls.ts';
import type { MediaPlane } from './call/media-plane.ts';
import type { Transfers } from './call/transfer.ts';
import type { Dialect } from './database/schema.ts';
import { asCallreelError, CallreelError } from './errors.ts';
import type { Logger } from './logger.ts';
import { mayReplace } from './replacement.ts';
import type { Application } from './routing/application.ts';
import { callerName } from './routing/caller.ts';
import type { DialPlans } from './routing/dial-plan.ts';
import { toE164 } from './routing/e164.ts';
import type { Router } from './routing/router.ts';
import type { Trunk } from './routing/trunk.ts';
import { warningFor } from './sdp/warning.ts';
import type { Binding } from './sip/location-store.ts';
import { parseNameAddress } from './sip/name-address.ts';
import type { SipSession } from './sip/session.ts';
import { decodeUser, parseSipUri } from './sip/uri.ts';

export interface InboundOptions {
  accountId: string;
  router: Router;
  dialPlans: DialPlans;
  calls: LiveCalls;
  media: Pick<MediaPlane, 'examine'>;
  /** By dialect: serves a call to its end. Never throws. */
  incoming: Readonly<Record<Dialect, { answer(leg: Leg, application: Application): Promise<void> }>>;
  transfers: Transfers;
  log: Logger;
  /** Logs a call that was refused (`sip/refusal-log`). */
  noteRefused(address: string, reason: string, fields: Record<string, unknown>): void;
  /** Where the user of an address of record has registered. */
  registered(aor: string): Promise<readonly Binding[]>;
  /** The address is a trunk's. */
  trust(address: string): void;
}

/** Takes an INVITE to the application that serves the called number. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Never throws; whatever fails refuses the call. */
  invited(session: SipSession): void {
    if (this.#offerRefused(session)) return;
    const { calls, log, noteRefused } = this.#options;
    const leg = calls.incoming(session);
    this.#serve(session, leg).catch((error: unknown) => {
      const known = error instanceof CallreelError;
      // A flood of refused calls is no flood of lines.
      if (known) noteRefused(session.peer.address, error.code, { error, connectionId: leg.id });
      else log.error({ error, connectionId: leg.id }, 'a call was refused');
      if (known) leg.reject(error.status, error.code);
      else leg.rejectFor(error);
    });
  }

  /** What can not become a call is on no record: strangers could fill the directory, and nobody was to be called. */
  #offerRefused(session: SipSession): boolean {
    try {
      this.#options.media.examine(session);
      return false;
    } catch (error) {
      const known = asCallreelError(error, 'an unexpected error');
      const { code, status } = known;
      const reason = code === 'SDP_INVALID' ? 'Malformed Session Description' : undefined;
      this.#options.noteRefused(session.peer.address, code, { error, sipCallId: printable(session.callId) });
      session.reject({
        status,
        reason,
        headers: [{ name: 'Warning', value: warningFor(known, 'callreel') }],
      });
      return true;
    }
  }

  async #serve(session: SipSession, leg: Leg): Promise<void> {
    const { accountId, router, dialPlans, incoming, transfers } = this.#options;
    const requestUser = userOf(session.requestUri) ?? session.to.user;
    const source = { address: session.peer.address, requestUser };
    const { trunk, trusted, byContact } = await dialPlans.admitInbound(accountId, source);
    if (trunk !== undefined) this.#options.trust(source.address);
    // A call to the contact we registered is for the number that stands elsewhere.
    const called = byContact ? (calledPartyOf(session) ?? session.to.user) : requestUser;
    const country = trunk?.options.country ?? dialPlans.country;
    this.#identify(session, leg, { trunk, trusted, country });
    if (session.replacesSession !== undefined) {
      await this.#admitReplacing(session.replacesSession, { session, trunkId: trunk?.trunkId, trusted });
      if (!(await transfers.takeOver(leg, session.replacesSession))) leg.reject(603, 'Decline');
      return;
    }
    const application = await router.findApplication({ user: called }, country);
    if (!application)
      throw new CallreelError('NOT_FOUND', 'no application serves the called number', {
        where: called.slice(0, 64),
      });
    // From here on the dialect answers for the call, to its end.
    void incoming[application.dialect].answer(leg, application);
  }

  /** @throws CallreelError INBOUND_FORBIDDEN */
  async #admitReplacing(replaced: SipSession, newcomer: Parameters<typeof mayReplace>[0]): Promise<void> {
    const { calls, registered } = this.#options;
    const trunkId = calls.legOf(replaced)?.connection.trunkId;
    if (await mayReplace(newcomer, { session: replaced, trunkId }, registered)) return;
    throw new CallreelError('INBOUND_FORBIDDEN', 'this caller may not take the place of that call', {
      where: newcomer.session.peer.address,
    });
  }

  /** What the call is known by from here on; rows are written again only where there is more to say. */
  #identify(
    session: SipSession,
    leg: Leg,
    { trunk, trusted, country }: { trunk: Trunk | undefined; trusted: boolean; country: string | undefined },
  ): void {
    const { connection } = leg;
    const identity = connection.sipIdentity ?? {};
    const from = printable(callerName(identity, { trusted, country }) ?? connection.from);
    const to = printable(toE164(session.to.user, country) ?? connection.to);
    if (!trusted && from === connection.from && to === connection.to) return;
    const sipIdentity = trusted ? { ...identity, trusted } : identity;
    this.#options.calls.identify(leg, { from, to, sipIdentity, trunkId: trunk?.trunkId });
  }
}

/** Of a SIP URI the user part, percent-decoded; of a `tel:` URI the number. */
function userOf(uri: string): string | undefined {
  if (/^tel:/i.test(uri)) return uri.slice(4);
  const user = parseSipUri(uri)?.user;
  return user === undefined ? undefined : decodeUser(user);
}

/** RFC 7315 section 4.2: what the caller dialled, where a registrar wrote our contact into the Request-URI. */
function calledPartyOf({ headers }: SipSession): string | undefined {
  const value = headers.find(({ name }) => name.toLowerCase() === 'p-called-party-id')?.value;
  const uri = value === undefined ? undefined : parseNameAddress(value)?.uri;
  return uri === undefined ? undefined : userOf(uri);
}
