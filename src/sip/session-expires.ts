import { headerValue, headerValues, type SipMessage, type SipRequest, type SipResponse } from './message.ts';
import { parameterText, parseParameters } from './parameters.ts';
import type { SipHeader } from './session.ts';

/** What we ask for and what we take (RFC 4028). */
export interface SessionTimerPolicy {
  /** Proposed where the peer names no interval, and the longest we agree to. */
  readonly expiresSeconds: number;
  readonly minSeconds: number;
}

/** Section 4: "1800 seconds is RECOMMENDED"; section 5: "the default value [of Min-SE] is 90 seconds". */
export const standardSessionTimer: SessionTimerPolicy = { expiresSeconds: 1800, minSeconds: 90 };

export interface AgreedTimer {
  readonly seconds: number;
  readonly weRefresh: boolean;
  /** The peer watches the interval too; otherwise our refresh only asks whether it is still there. */
  readonly peerWatches: boolean;
}

interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** A day; more is as good as no timer, and further than a timer can be set. */
const maxSeconds = 86_400;

/** Section 4. Undefined where it is absent or makes no sense. */
export function readSessionExpires(message: SipMessage): SessionExpires | undefined {
  const value = headerValue(message, 'session-expires');
  const digits = value === undefined ? null : /^\s*(\d{1,10})\s*(?=;|$)/.exec(value);
  if (value === undefined || digits === null) return undefined;
  const parameters = parseParameters(value, digits[0].length);
  const refresher = (parameters && parameterText(parameters, 'refresher'))?.toLowerCase();
  const known = refresher === 'uac' || refresher === 'uas' ? refresher : undefined;
  return { seconds: Math.min(Number(digits[1]), maxSeconds), refresher: known };
}

/** Section 5; 0 where the message has none. */
export function readMinSe(message: SipMessage): number {
  const digits = /^\s*(\d{1,10})\s*(?:;|$)/.exec(headerValue(message, 'min-se') ?? '');
  return digits === null ? 0 : Math.min(Number(digits[1]), maxSeconds);
}

export function supportsTimer(message: SipMessage): boolean {
  const named = [...headerValues(message, 'supported'), ...headerValues(message, 'require')];
  return named.some((option) => option.toLowerCase() === 'timer');
}

/** Section 7.1: the headers of an INVITE of ours. */
export function timerRequestHeaders(policy: SessionTimerPolicy, refresher?: 'uac' | 'uas'): SipHeader[] {
  const { minSeconds } = policy;
  const seconds = Math.max(policy.expiresSeconds, minSeconds);
  const parameter = refresher === undefined ? '' : `;refresher=${refresher}`;
  return [
    { name: 'Session-Expires', value: `${seconds}${parameter}` },
    { name: 'Min-SE', value: String(minSeconds) },
  ];
}

export interface TimerRefusal {
  readonly status: 422;
  readonly headers: SipHeader[];
}

export interface TimerAnswer {
  readonly status: undefined;
  readonly agreed: AgreedTimer;
  readonly headers: SipHeader[];
}

/**
 * Section 9: what we make of an INVITE or UPDATE of the peer.
 * @param weRefresh who refreshes as agreed before; a request that names nobody keeps that
 */
export function answerTimer(
  request: SipRequest,
  policy: SessionTimerPolicy,
  weRefresh: boolean | undefined,
): TimerAnswer | TimerRefusal {
  const asked = readSessionExpires(request);
  const peerWatches = supportsTimer(request);
  if (asked !== undefined && peerWatches && asked.seconds < policy.minSeconds)
    return { status: 422, headers: [{ name: 'Min-SE', value: String(policy.minSeconds) }] };
  const least = Math.max(policy.minSeconds, readMinSe(request));
  const most = Math.max(policy.expiresSeconds, least);
  const seconds = Math.max(Math.min(asked?.seconds ?? most, most), least);
  const refresher = peerWatches ? (asked?.refresher ?? (weRefresh ? 'uas' : 'uac')) : 'uas';
  const headers = [{ name: 'Session-Expires', value: `${seconds};refresher=${refresher}` }];
  if (refresher === 'uac') headers.push({ name: 'Require', value: 'timer' });
  return {
    status: undefined,
    agreed: { seconds, weRefresh: refresher === 'uas', peerWatches },
    headers,
  };
}

/** Section 7.2: what a 2xx to our request says; undefined where the peer wants no timer. */
export function agreedTimer(response: SipResponse, policy: SessionTimerPolicy): AgreedTimer | undefined {
  const answered = readSessionExpires(response);
  if (answered === undefined) return undefined;
  const seconds = Math.max(answered.seconds, policy.minSeconds);
  return { seconds, weRefresh: answered.refresher !== 'uas', peerWatches: true };
}

/** Section 7.3: the policy to try again with after a 422; undefined where its Min-SE asks for nothing new. */
export function afterTooBrief(
  response: SipResponse,
  policy: SessionTimerPolicy,
): SessionTimerPolicy | undefined {
  const minSeconds = readMinSe(response);
  if (response.status !== 422 || minSeconds <= policy.minSeconds) return undefined;
  return { minSeconds, expiresSeconds: Math.max(policy.expiresSeconds, minSeconds) };
}
