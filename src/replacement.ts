import type { Admission } from './routing/inbound.ts';
import type { Binding } from './sip/location-store.ts';
import type { SipSession } from './sip/session.ts';

/** A call, and what it came or went by. */
export interface AdmittedCall {
  session: Pick<SipSession, 'peer' | 'from'>;
  trunkId: string | undefined;
}

/**
 * Whether a call may take the place of another one, whose ids it knows (RFC 3891 section 3): those are no secret on the
 * way. It comes from the other's peer, by its trunk, from a network that the operator named, or from where the user it
 * is from has registered with its password.
 * @param lookup the live bindings of an address of record
 */
export async function mayReplace(
  newcomer: AdmittedCall & Pick<Admission, 'trusted'>,
  replaced: AdmittedCall,
  lookup: (aor: string) => Promise<readonly Pick<Binding, 'source'>[]>,
): Promise<boolean> {
  const { address } = newcomer.session.peer;
  if (address === replaced.session.peer.address) return true;
  if (newcomer.trunkId !== undefined) return newcomer.trunkId === replaced.trunkId;
  if (newcomer.trusted) return true;
  const bindings = await lookup(newcomer.session.from.uri);
  return bindings.some(({ source }) => source.address === address);
}
