import type { NameAddress } from './name-address.ts';
import { splitValues } from './scan.ts';
import type { SipHeader } from './session.ts';
import type { Via } from './via.ts';

/** A header as received. `key` is the full name in lower case, compact forms resolved (RFC 3261 section 7.3.3). */
export interface HeaderField extends SipHeader {
  readonly key: string;
}

export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

/** What every layer needs of a message, parsed once. */
interface Essentials {
  readonly headers: HeaderField[];
  readonly body: Uint8Array;
  /** Top Via; the transport layer replaces it by the one with `received`. */
  via: Via;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly callId: string;
  readonly cseq: CSeq;
}

export interface SipRequest extends Essentials {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface SipResponse extends Essentials {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

/** As much of a broken request as an error response needs. */
export interface AnswerableRequest {
  readonly method: string;
  readonly headers: HeaderField[];
  via: Via;
}

const compactForms: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

/** Full lower-case name of a header. */
export function headerKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (compactForms[lower] ?? lower) : lower;
}

/** As they are usually written. */
const usualNames =
  'Accept, Accept-Contact, Accept-Encoding, Accept-Language, Alert-Info, Allow, Allow-Events, Authorization, Call-ID, ' +
  'Call-Info, Contact, Content-Disposition, Content-Length, Content-Type, CSeq, Date, Diversion, Event, Expires, From, ' +
  'Geolocation, History-Info, Identity, Max-Forwards, MIME-Version, Min-Expires, Min-SE, Organization, ' +
  'P-Access-Network-Info, P-Asserted-Identity, P-Charging-Vector, P-Preferred-Identity, Path, Privacy, ' +
  'Proxy-Authenticate, Proxy-Authorization, Proxy-Require, RAck, Reason, Record-Route, Refer-To, Referred-By, ' +
  'Remote-Party-ID, Replaces, Require, Retry-After, Route, RSeq, Server, Service-Route, Session-Expires, Session-ID, ' +
  'Subject, Subscription-State, Supported, Timestamp, To, Unsupported, User-Agent, User-to-User, Via, Warning, ' +
  'WWW-Authenticate';

const usualHeaders: ReadonlyMap<string, { readonly name: string; readonly key: string }> = new Map(
  [...usualNames.split(', '), ...Object.keys(compactForms)].map((name) => [
    name,
    { name, key: headerKey(name) },
  ]),
);

/**
 * One string for all messages: of a call that has its INVITE as long as it lasts, names of its own were a quarter of that.
 * @returns undefined for a name that is seldom written so
 */
export function usualHeader(name: string): { readonly name: string; readonly key: string } | undefined {
  return usualHeaders.get(name);
}

interface HasHeaders {
  readonly headers: readonly HeaderField[];
}

/** Value of the first header with this key. */
export function headerValue(message: HasHeaders, key: string): string | undefined {
  for (const header of message.headers) if (header.key === key) return header.value;
  return undefined;
}

/** Values of all headers with this key, comma lists taken apart, in order. */
export function headerValues(message: HasHeaders, key: string): string[] {
  const values: string[] = [];
  for (const header of message.headers) if (header.key === key) values.push(...splitValues(header.value));
  return values;
}

export function bodyText(message: { readonly body: Uint8Array }): string {
  const { body } = message;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}
