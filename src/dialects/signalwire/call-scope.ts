import { printable } from '../../call/connection.ts';
import type { Leg } from '../../call/leg.ts';
import type { CallScope } from './host.ts';
import type { SignalwireIdentity } from './identity.ts';

const maxHeaders = 50;

/** The call as documents and requests for documents see it. */
export function callScopeOf(
  { connection, session, answered, ended }: Leg,
  identity: SignalwireIdentity,
): CallScope {
  const { connectionId, callId = connectionId, from, to, direction, sipCallId } = connection;
  return {
    call_id: connectionId,
    node_id: identity.nodeId,
    segment_id: callId,
    call_state: ended ? 'ended' : answered ? 'answered' : 'created',
    direction: direction === 'incoming' ? 'inbound' : 'outbound',
    type: callTypeOf(connection),
    from,
    to,
    from_number: from,
    to_number: to,
    // What a caller's side adds of its own; the rest is between the two ends.
    headers: session.headers
      .filter(({ name }) => /^x-/i.test(name))
      .slice(0, maxHeaders)
      .map(({ name, value }) => ({ name: printable(name), value: printable(value) })),
    project_id: identity.projectId,
    space_id: identity.spaceId,
    sip_data: {
      sip_call_id: sipCallId,
      sip_from_user: printable(session.from.user),
      sip_from_host: printable(session.from.host),
      sip_to_user: printable(session.to.user),
      sip_to_host: printable(session.to.host),
    },
  };
}

/** Trunks lead to the telephone network; everything else is SIP from end to end. */
export function callTypeOf({ trunkId }: { trunkId?: string | null | undefined }): 'phone' | 'sip' {
  return trunkId == null ? 'sip' : 'phone';
}
