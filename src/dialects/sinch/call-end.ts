import type { ConnectResult } from '../../call/connector.ts';
import { type CallEndReason, callEndReason } from '../../call/end-reason.ts';
import type { SipEnd } from '../../sip/session.ts';
import type { CallReason, CallResult } from './callback-bodies.ts';

/** How a call ended, as DICE tells it. */
export interface CallEnd {
  reason: CallReason;
  result: CallResult;
}

/** Of a party that was called, by why it was not reached. Codes of the catalogue stand here as the connector has them. */
const unreached: Readonly<Record<string, CallEnd>> = {
  busy: { reason: 'CALLEEHANGUP', result: 'BUSY' },
  declined: { reason: 'CALLEEHANGUP', result: 'BUSY' },
  'no-answer': { reason: 'TIMEOUT', result: 'NOANSWER' },
  cancelled: { reason: 'CANCEL', result: 'NOANSWER' },
  'answered-elsewhere': { reason: 'CANCEL', result: 'NOANSWER' },
  'not-found': { reason: 'USERNOTFOUND', result: 'FAILED' },
  'number-invalid': { reason: 'USERNOTFOUND', result: 'FAILED' },
  forbidden: { reason: 'BLOCKED', result: 'FAILED' },
  'outbound-forbidden': { reason: 'BLOCKED', result: 'FAILED' },
};

/** Nobody was reached. */
export function unreachedEnd(reason: string | undefined): CallEnd {
  return unreached[reason ?? ''] ?? { reason: 'GENERALERROR', result: 'FAILED' };
}

/** Of a call that somebody was to be connected to; undefined where the call says it better. */
export function connectedEnd({ outcome, reason, endedBy }: ConnectResult): CallEnd | undefined {
  if (outcome === 'failed') return reason === 'not-put-through' ? undefined : unreachedEnd(reason);
  return endedBy === 'called' ? { reason: 'CALLEEHANGUP', result: 'ANSWERED' } : undefined;
}

/**
 * Of the party that ended it.
 * @param side whether it called, or was called
 */
export function partyEnd(end: SipEnd, answered: boolean, side: 'caller' | 'callee'): CallEnd {
  if (!answered && side === 'callee') return unreachedEnd(callEndReason(end, false));
  const result = answered ? 'ANSWERED' : 'N/A';
  if (end.cause === 'cancelled') return { reason: 'CANCEL', result: 'NOANSWER' };
  if (end.cause === 'remote') return { reason: side === 'caller' ? 'CALLERHANGUP' : 'CALLEEHANGUP', result };
  if (end.cause === 'local') return { reason: byUs[callEndReason(end, answered)] ?? 'MANAGERHANGUP', result };
  return { reason: end.cause === 'rejected' ? 'MANAGERHANGUP' : 'GENERALERROR', result };
}

const byUs: Partial<Record<CallEndReason, CallReason>> = { 'media-lost': 'GENERALERROR' };
