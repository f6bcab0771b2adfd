import type { Leg } from '../../call/leg.ts';
import { callTypeOf } from './call-scope.ts';

const types = { phone: 'relay_pstn_call', sip: 'relay_sip_call' } as const;

/** What every form of the vendor's call says of it. */
export function callParties({ connection }: Leg): Record<string, unknown> {
  const { connectionId, from, to, direction, callId, startedUnixMs } = connection;
  const placed = callId === connectionId ? 'outbound-api' : 'outbound';
  return {
    from,
    to,
    direction: direction === 'incoming' ? 'inbound' : placed,
    type: types[callTypeOf(connection)],
    created_at: new Date(startedUnixMs).toISOString(),
  };
}

/** The vendor's Call Leg: what a command is answered with. */
export function callLegBody(
  leg: Leg,
  status = statusOf(leg),
  url: string | null = null,
): Record<string, unknown> {
  const { connectionId, callId } = leg.connection;
  return {
    id: connectionId,
    ...callParties(leg),
    status,
    source: 'realtime_api',
    url,
    duration: null,
    duration_ms: null,
    billing_ms: null,
    charge: 0,
    charge_details: [],
    parent_id: callId === undefined || callId === connectionId ? null : callId,
  };
}

function statusOf({ answered, ended, connection }: Leg): string {
  if (ended) return 'ended';
  if (answered) return 'answered';
  return connection.direction === 'incoming' ? 'created' : 'ringing';
}
