import type { InviteSession } from './invite-session.ts';
import { headerValue, type SipRequest } from './message.ts';
import { parseReplaces } from './replaces.ts';
import type { SipReplaces } from './session.ts';

/** Sessions by our tag. */
type Sessions = ReadonlyMap<string, InviteSession>;

/** The call that a Replaces header names, whatever its state. */
export function sessionNamedBy(
  { callId, toTag, fromTag }: SipReplaces,
  sessions: Sessions,
): InviteSession | undefined {
  const session = sessions.get(toTag);
  if (session?.callId !== callId) return undefined;
  // RFC 3891 section 3: the tag 0 is also that of a peer without one.
  return session.isWith(fromTag) || (fromTag === '0' && session.isWith('')) ? session : undefined;
}

/**
 * The call that an INVITE is to take the place of (RFC 3891 section 3), or the status that refuses it; undefined where
 * it does not ask for that.
 */
export function replacedSession(
  request: SipRequest,
  sessions: Sessions,
): InviteSession | 400 | 481 | 486 | 603 | undefined {
  const values = request.headers.filter(({ key }) => key === 'replaces');
  const [header] = values;
  if (header === undefined) return undefined;
  const replaces = parseReplaces(header.value);
  if (values.length > 1 || replaces === undefined || headerValue(request, 'join') !== undefined) return 400;
  const session = sessionNamedBy(replaces, sessions);
  switch (session?.state) {
    case undefined:
      return 481;
    case 'ended':
      return 603;
    case 'calling':
    case 'early':
      return session?.direction === 'outgoing' ? session : 481;
    default:
      return replaces.earlyOnly ? 486 : session;
  }
}
