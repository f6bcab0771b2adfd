/** What a party answered to a menu. */
export interface MenuResult {
  menuId: string;
  type: 'return' | 'sequence' | 'timeout' | 'hangup' | 'invalidinput' | 'error';
  /** The argument of `return`, or the keys. */
  value?: string;
  inputMethod?: 'dtmf' | 'voice';
}

/** `did`: a number of ours was called. */
export interface Destination {
  type: 'did' | 'number' | 'username' | 'sip';
  endpoint: string;
}

export interface CallHeader {
  key: string;
  value: string;
}

/** Nothing is charged: amounts are zero. */
export interface Price {
  currencyId: string;
  amount: number;
}

export type CallDomain = 'pstn' | 'mxp';
export type CallResult = 'N/A' | 'ANSWERED' | 'BUSY' | 'NOANSWER' | 'FAILED';
export type CallReason =
  | 'N/A'
  | 'TIMEOUT'
  | 'CALLERHANGUP'
  | 'CALLEEHANGUP'
  | 'BLOCKED'
  | 'MANAGERHANGUP'
  | 'NOCREDITPARTNER'
  | 'GENERALERROR'
  | 'CANCEL'
  | 'USERNOTFOUND'
  | 'CALLBACKERROR'
  | 'INVALIDSVAMLACTION';

/** What every callback of a call tells. */
export interface CalledBack {
  callId: string;
  unixMs: number;
  /** Given with a callout. */
  custom?: string | undefined;
  /** What the application set by `setCookie`. */
  cookies?: ReadonlyMap<string, string> | undefined;
  applicationKey: string;
}

export interface IncomingCall extends CalledBack {
  /** Of the call as the REST API has it. */
  callResourceUrl: string;
  cli: string;
  to: Destination;
  domain: CallDomain;
  originationType: CallDomain;
  /** The number that redirected the call. */
  rdnis?: string | undefined;
  callHeaders?: readonly CallHeader[] | undefined;
}

export interface DisconnectedCall extends CalledBack {
  reason: CallReason;
  result: CallResult;
  from: string;
  to: Destination;
  /** From its answer. */
  durationMs: number;
  callHeaders?: readonly CallHeader[] | undefined;
}

const version = 1;
export const free: Price = { currencyId: 'USD', amount: 0 };

/** Somebody calls: what is to be done? */
export function iceBody(call: IncomingCall) {
  return {
    event: 'ice' as const,
    ...head(call),
    callResourceUrl: call.callResourceUrl,
    userRate: free,
    cli: call.cli,
    to: call.to,
    domain: call.domain,
    applicationKey: call.applicationKey,
    originationType: call.originationType,
    duration: 0,
    rdnis: call.rdnis ?? '',
    ...(call.callHeaders && { callHeaders: call.callHeaders }),
  };
}

/** The called party answered: what is to be done? */
export function aceBody(call: CalledBack) {
  return { event: 'ace' as const, ...head(call), applicationKey: call.applicationKey };
}

/** A menu is done with: what is to be done? */
export function pieBody(call: CalledBack, menuResult: MenuResult) {
  return { event: 'pie' as const, ...head(call), menuResult, applicationKey: call.applicationKey };
}

/** The call is over; told once. */
export function diceBody(call: DisconnectedCall) {
  return {
    event: 'dice' as const,
    ...head(call),
    reason: call.reason,
    result: call.result,
    debit: free,
    userRate: free,
    to: call.to,
    duration: Math.round(call.durationMs / 1000),
    from: call.from,
    ...(call.callHeaders && { callHeaders: call.callHeaders }),
    applicationKey: call.applicationKey,
  };
}

/** Whose recording it is: of a conference there is no `callid` at all. */
export type NotifiedOf = { callId: string } | { conferenceId: string };

export type Notification =
  | { type: 'recording_finished' }
  | { type: 'recording_available' | 'transcription_available'; destination: string }
  /** Ours, where it is asked for: it did not come to be, or could not be delivered. */
  | { type: 'recording_failed'; errorMsg: string; destination?: string };

/** `callid` in lower case here, `callId` in the REST API. */
export function notifyBody(of: NotifiedOf, notification: Notification) {
  return { event: 'notify' as const, ...subject(of), version, ...notification };
}

export interface CallingError {
  errorCode: number;
  errorMsg: string;
  custom?: string | undefined;
  type?: 'callingerror' | 'callingwarning' | undefined;
}

/** What could not be done that an answer or a request asked for; a warning is ours: all the rest of it was done. */
export function callingErrorBody(
  of: NotifiedOf,
  { errorCode, errorMsg, custom, type = 'callingerror' }: CallingError,
) {
  return {
    event: 'notify' as const,
    ...subject(of),
    version,
    type,
    errorCode,
    errorMsg,
    ...(custom !== undefined && { custom }),
  };
}

function subject(of: NotifiedOf): { callid: string } | { conferenceId: string } {
  return 'callId' in of ? { callid: of.callId } : { conferenceId: of.conferenceId };
}

function head({ callId, unixMs, custom = '', cookies }: CalledBack) {
  return {
    callid: callId,
    timestamp: vendorTime(unixMs),
    version,
    custom,
    ...(cookies && cookies.size > 0 && { cookies: Object.fromEntries(cookies) }),
  };
}

/** Seconds are enough, as in the vendor's own examples: `2014-09-24T10:59:41Z`. */
export function vendorTime(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19)}Z`;
}
