import type { SipEnd, SipRejection } from '../sip/session.ts';

/** Why a call ended, or never came to be, in nobody's dialect. */
export type CallEndReason =
  /** An answered call came to its end. */
  | 'hung-up'
  | 'busy'
  | 'declined'
  | 'no-answer'
  /** Nobody has this number or address. */
  | 'not-found'
  | 'forbidden'
  /** No codec or no encryption in common. */
  | 'not-acceptable'
  /** Where it should have gone could not be reached, or was out of order. */
  | 'unreachable'
  /** The caller hung up before the answer. */
  | 'cancelled'
  /** Another phone of the same user took it. */
  | 'answered-elsewhere'
  /** The peer was gone: no media came any more, and nobody answered for it. */
  | 'media-lost'
  | 'failed';

/** What `Leg.hangUp` is told where a call did not come to its end in the usual way. */
export const hangUpReasons = {
  noAnswer: 'no answer',
  noResponse: 'no response',
  callerHungUp: 'the caller hung up',
  answeredElsewhere: 'answered elsewhere',
  mediaLost: 'media lost',
} as const;

const byHangUp: Readonly<Record<string, CallEndReason>> = {
  [hangUpReasons.noAnswer]: 'no-answer',
  [hangUpReasons.noResponse]: 'unreachable',
  [hangUpReasons.callerHungUp]: 'cancelled',
  [hangUpReasons.answeredElsewhere]: 'answered-elsewhere',
  [hangUpReasons.mediaLost]: 'media-lost',
};

/** RFC 3261 section 21, RFC 8197 (607), RFC 8688 (608). */
const byStatus: Readonly<Record<number, CallEndReason>> = {
  401: 'forbidden',
  402: 'forbidden',
  403: 'forbidden',
  404: 'not-found',
  407: 'forbidden',
  408: 'unreachable',
  410: 'not-found',
  415: 'not-acceptable',
  416: 'not-found',
  480: 'no-answer',
  484: 'not-found',
  486: 'busy',
  487: 'cancelled',
  488: 'not-acceptable',
  600: 'busy',
  603: 'declined',
  604: 'not-found',
  606: 'not-acceptable',
  607: 'declined',
  608: 'declined',
};

/**
 * What a caller is told who was answered by nobody: what the called party said, where it is about that party. How the
 * call failed on our way there is nothing that the caller, or a proxy between, could do better.
 */
export function refusalFor(reason: CallEndReason): SipRejection {
  const status = { busy: 486, declined: 603, 'not-found': 404 }[reason as string] ?? 480;
  return { status };
}

export function callEndReason(end: SipEnd, answered: boolean): CallEndReason {
  const byUs = end.cause === 'local' ? byHangUp[end.reason ?? ''] : undefined;
  if (byUs !== undefined) return byUs;
  if (answered) return end.cause === 'timeout' || end.cause === 'error' ? 'failed' : 'hung-up';
  if (end.cause === 'cancelled' || end.cause === 'remote') return 'cancelled';
  if (end.cause === 'timeout' || end.cause === 'error') return 'unreachable';
  const { status = 0 } = end;
  return byStatus[status] ?? (status >= 500 && status < 600 ? 'unreachable' : 'failed');
}

/** The answer says something about the way there, not about the called party: another way is worth a try. */
export function isWayFailure(end: SipEnd): boolean {
  if (end.cause === 'error' || end.cause === 'timeout') return true;
  const { cause, status = 0, reason } = end;
  if (cause === 'local') return reason === hangUpReasons.noResponse;
  return cause === 'rejected' && (status === 408 || (status >= 500 && status < 600));
}
