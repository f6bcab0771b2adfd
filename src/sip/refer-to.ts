import { headerValue, headerValues, type SipRequest } from './message.ts';
import { type NameAddress, parseNameAddress, toSipAddress } from './name-address.ts';
import { formatReplaces, parseReplaces } from './replaces.ts';
import type { ReferOptions, SipAddress, SipHeader, SipReplaces } from './session.ts';
import { schemeOf } from './uri.ts';

/** What a REFER asks for. */
export interface ReferTarget {
  readonly target: SipAddress;
  readonly replaces: SipReplaces | undefined;
  /** Value of Referred-By, for the INVITE that follows (RFC 3892 section 2.2). */
  readonly referredBy: string | undefined;
  /** RFC 4488 section 4: the sender wants no NOTIFY. */
  readonly wantsNotices: boolean;
}

const maxReferToCharacters = 2048;
const schemes = new Set(['sip', 'sips', 'tel']);

/** Reads a REFER (RFC 3515 section 2.4.2). @returns the status it is refused with where it cannot be acted on */
export function readRefer(request: SipRequest): ReferTarget | { status: 400 | 416 | 603 } {
  const values = request.headers.filter(({ key }) => key === 'refer-to').map(({ value }) => value);
  const [value = ''] = values;
  if (values.length !== 1 || value.length > maxReferToCharacters) return { status: 400 };
  // Many phones forget the brackets that a URI with parameters or headers needs.
  const address = parseNameAddress(value) ?? parseNameAddress(`<${value.trim()}>`);
  if (address === undefined) return { status: 400 };
  if (!schemes.has(schemeOf(address.uri) ?? '')) return { status: 416 };
  const method = address.sipUri?.parameters.get('method');
  if (method !== undefined && method.toUpperCase() !== 'INVITE') return { status: 603 };
  const embedded = embeddedReplaces(address);
  const replaces = embedded === undefined ? undefined : parseReplaces(embedded);
  if (embedded !== undefined && replaces === undefined) return { status: 400 };
  return {
    target: toSipAddress(withoutHeaders(address)),
    replaces,
    referredBy: referredBy(request),
    wantsNotices: headerValue(request, 'refer-sub')?.trim().toLowerCase() !== 'false',
  };
}

/** Of the headers in the URI only Replaces is taken: the others would have us send what a stranger wrote. */
function embeddedReplaces({ sipUri }: NameAddress): string | undefined {
  for (const pair of sipUri?.headers?.split('&') ?? []) {
    const equals = pair.indexOf('=');
    if (pair.slice(0, Math.max(equals, 0)).toLowerCase() !== 'replaces') continue;
    try {
      return decodeURIComponent(pair.slice(equals + 1));
    } catch {
      return '';
    }
  }
  return undefined;
}

function withoutHeaders(address: NameAddress): NameAddress {
  if (address.sipUri === undefined) return address;
  const [bare = ''] = address.uri.split('?');
  return { ...address, uri: bare.replace(/;method=[^;]*/i, '') };
}

function referredBy(request: SipRequest): string | undefined {
  const [value] = headerValues(request, 'referred-by');
  return value !== undefined && parseNameAddress(value) !== undefined ? value : undefined;
}

/** Headers of a REFER of ours. @param target URI without headers */
export function referHeaders(target: string, { replaces, referredBy }: ReferOptions): SipHeader[] {
  const query = replaces === undefined ? '' : `?Replaces=${encodeURIComponent(formatReplaces(replaces))}`;
  return [
    { name: 'Refer-To', value: `<${target}${query}>` },
    ...(referredBy === undefined ? [] : [{ name: 'Referred-By', value: referredBy }]),
  ];
}
