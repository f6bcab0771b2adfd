import { headerKey } from './message.ts';
import { type NameAddress, parseNameAddress } from './name-address.ts';
import { parameterText } from './parameters.ts';
import { parseDecimal, splitValues } from './scan.ts';
import type { SipHeader } from './session.ts';
import { decodeUser } from './uri.ts';

/** An address with what stood beside it. Texts are printable and bounded. */
export interface IdentityAddress {
  uri: string;
  displayName?: string;
  /** User part, or the number of a `tel:` URI, without the parameters of a number. */
  user?: string;
}

/** RFC 5806: who forwarded the call, the last one first. */
export interface DiversionEntry extends IdentityAddress {
  reason?: string;
  counter?: number;
}

/** RFC 7044: where the call has been sent, in the order of `index`. */
export interface HistoryEntry extends IdentityAddress {
  index?: string;
  cause?: number;
}

/** draft-ietf-sip-privacy-04; what old equipment has instead of P-Asserted-Identity. */
export interface RemotePartyEntry extends IdentityAddress {
  party?: string;
  screen?: string;
  privacy?: string;
}

/**
 * What an INVITE says about who calls and how the call came here. Data for a row and for people; nothing of it is
 * verified here, and what stands in it is the peer's word.
 */
export interface SipIdentity {
  from?: IdentityAddress;
  to?: IdentityAddress;
  /** P-Asserted-Identity (RFC 3325). */
  asserted?: IdentityAddress[];
  remoteParty?: RemotePartyEntry[];
  /** Privacy (RFC 3323, RFC 3325 section 9.3), lower case. */
  privacy?: string[];
  diversion?: DiversionEntry[];
  history?: HistoryEntry[];
  /** Identity (RFC 8224), as received: a PASSporT with its parameters each. */
  passports?: string[];
  /** Identity headers that were too long or too many to keep. */
  passportsLeftOut?: number;
  /** What the network found when it verified the caller's number (3GPP TS 24.229, section 7.2A.20). */
  verstat?: string;
  /** The peer is one whose word about its callers counts. */
  trusted?: boolean;
}

const maxTextLength = 256;
const maxEntries = 8;
const maxPassports = 4;
const maxPassportLength = 4096;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get any further
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** @param headers of the INVITE, as a session has them; whatever cannot be understood is left out */
export function readCallerIdentity(headers: readonly SipHeader[]): SipIdentity {
  const values = (key: string) => valuesOf(headers, key);
  const passports = values('identity');
  const kept = passports.filter(({ length }) => length <= maxPassportLength).slice(0, maxPassports);
  const identity: SipIdentity = {
    ...field('from', addresses(values('from'), addressOf)?.[0]),
    ...field('to', addresses(values('to'), addressOf)?.[0]),
    ...field('asserted', addresses(values('p-asserted-identity'), addressOf)),
    ...field('remoteParty', addresses(values('remote-party-id'), remotePartyOf)),
    ...field('privacy', privacyOf(values('privacy'))),
    ...field('diversion', addresses(values('diversion'), diversionOf)),
    ...field('history', addresses(values('history-info'), historyOf)),
    ...field(
      'passports',
      kept.length === 0 ? undefined : kept.map((passport) => printable(passport, maxPassportLength)),
    ),
    ...field('passportsLeftOut', passports.length - kept.length || undefined),
    ...field('verstat', verstatOf([...values('p-asserted-identity'), ...values('from')])),
  };
  return identity;
}

/** The caller asked that its number be kept from the called party, or gave none. */
export function isAnonymous({ from, privacy = [] }: SipIdentity): boolean {
  if (privacy.some((value) => ['id', 'user', 'header'].includes(value))) return true;
  // RFC 3323 section 4.1.1.3 and RFC 3261 section 8.1.1.3; others leave the user part out.
  return from !== undefined && /^sips?:(anonymous@|[^@]*@?anonymous\.invalid)/i.test(from.uri);
}

function valuesOf(headers: readonly SipHeader[], key: string): string[] {
  const values: string[] = [];
  for (const { name, value } of headers)
    if (headerKey(name) === key) values.push(...(key === 'identity' ? [value] : splitValues(value)));
  return values;
}

function field<Key extends keyof SipIdentity>(
  key: Key,
  value: SipIdentity[Key],
): Partial<Record<Key, SipIdentity[Key]>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<Key, SipIdentity[Key]>>);
}

function addresses<Entry>(
  values: readonly string[],
  read: (address: NameAddress) => Entry,
): Entry[] | undefined {
  const entries: Entry[] = [];
  for (const value of values) {
    const address = entries.length < maxEntries ? parseNameAddress(value) : undefined;
    if (address) entries.push(read(address));
  }
  return entries.length === 0 ? undefined : entries;
}

function addressOf({ uri, displayName, sipUri }: NameAddress): IdentityAddress {
  const written = sipUri ? decodeUser(sipUri.user ?? '') : uri.replace(/^[^:]*:/, '');
  const user = written.split(';')[0];
  return {
    uri: printable(uri),
    ...(displayName === undefined ? {} : { displayName: printable(displayName) }),
    ...(user === undefined || user === '' ? {} : { user: printable(user) }),
  };
}

function texts<Key extends string>(address: NameAddress, keys: readonly Key[]): Partial<Record<Key, string>> {
  const found: Partial<Record<Key, string>> = {};
  for (const key of keys) {
    const text = parameterText(address.parameters, key);
    if (text !== undefined) found[key] = printable(text);
  }
  return found;
}

function remotePartyOf(address: NameAddress): RemotePartyEntry {
  return { ...addressOf(address), ...texts(address, ['party', 'screen', 'privacy']) };
}

function diversionOf(address: NameAddress): DiversionEntry {
  const counter = parseDecimal(parameterText(address.parameters, 'counter') ?? '', 999);
  return {
    ...addressOf(address),
    ...texts(address, ['reason']),
    ...(counter === undefined ? {} : { counter }),
  };
}

/** The cause stands in the URI: as a parameter (RFC 4458) or as an escaped Reason header (RFC 7044 section 5). */
function historyOf(address: NameAddress): HistoryEntry {
  const { sipUri } = address;
  const escaped = sipUri?.headers?.split('&').find((pair) => /^reason=/i.test(pair));
  const reason = /cause(?:%3D|=)(\d{3})/i.exec(escaped ?? '')?.[1];
  const cause = parseDecimal(sipUri?.parameters.get('cause') ?? reason ?? '', 699);
  return {
    ...addressOf(address),
    ...texts(address, ['index']),
    ...(cause === undefined ? {} : { cause }),
  };
}

function privacyOf(values: readonly string[]): string[] | undefined {
  const wanted = values
    .flatMap((value) => value.split(';'))
    .map((value) => printable(value.trim().toLowerCase()))
    .filter((value) => value !== '');
  return wanted.length === 0 ? undefined : wanted.slice(0, maxEntries);
}

function verstatOf(values: readonly string[]): string | undefined {
  for (const value of values) {
    const verstat = /;verstat=([\w-]{1,64})/i.exec(value)?.[1];
    if (verstat !== undefined) return verstat;
  }
  return undefined;
}

function printable(text: string, maxLength = maxTextLength): string {
  return text.toWellFormed().replace(controlCharacters, '\ufffd').slice(0, maxLength).toWellFormed();
}
