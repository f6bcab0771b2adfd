import { isAnonymous, type SipIdentity } from '../sip/caller-identity.ts';
import { toE164 } from './e164.ts';

export const anonymous = 'anonymous';

export interface CallerOptions {
  /** The peer's word about its callers counts (RFC 3325 section 5). */
  trusted: boolean;
  /** Whose national numbers the peer speaks of. */
  country: string | undefined;
}

/**
 * Who calls, as applications know it: the number that the network asserts where it may be believed, else that of From;
 * in the form of E.164 where it can be told.
 * @returns undefined where From as it stands is the best there is
 */
export function callerName(identity: SipIdentity, { trusted, country }: CallerOptions): string | undefined {
  if (isAnonymous(identity)) return anonymous;
  const believed = trusted ? [...(identity.asserted ?? []), ...calling(identity)] : [];
  for (const { user } of [...believed, ...(identity.from ? [identity.from] : [])]) {
    const number = user === undefined ? undefined : toE164(user, country);
    if (number !== undefined) return number;
  }
  return believed.find(({ user }) => user !== undefined && /^\+?\d{3,20}$/.test(user))?.user;
}

/** Without `party` it is the calling one (draft-ietf-sip-privacy-04 section 5). */
function calling({ remoteParty = [] }: SipIdentity): NonNullable<SipIdentity['remoteParty']> {
  return remoteParty.filter(({ party, privacy }) => (party ?? 'calling') === 'calling' && privacy !== 'full');
}

/** A called user part in the form of E.164 where it can be told; else as it stands. */
export function calledName(user: string, country: string | undefined): string {
  return toE164(user, country) ?? user;
}
