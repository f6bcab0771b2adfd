import { type Parameters, parseParameters } from './parameters.ts';
import { endOfQuoted, indexOutside, skipWhitespace, unquote } from './scan.ts';
import type { SipAddress } from './session.ts';
import { decodeUser, parseSipUri, type SipUri, schemeOf } from './uri.ts';

/** The value of From, To, Contact, Route and Record-Route (RFC 3261 section 20.10). */
export interface NameAddress {
  readonly displayName: string | undefined;
  /** The URI without angle brackets. */
  readonly uri: string;
  /** Set for `sip:` and `sips:` URIs. */
  readonly sipUri: SipUri | undefined;
  /** Header parameters such as `tag` and `expires`. */
  readonly parameters: Parameters;
}

/** @returns undefined where the text is no name-addr and no addr-spec, or its SIP URI is invalid */
export function parseNameAddress(value: string): NameAddress | undefined {
  const text = value.trim();
  const open = text.startsWith('"') ? openAfterQuotedName(text) : text.indexOf('<');
  if (open === -2) return undefined;
  if (open < 0) return parseAddressSpecification(text);
  const close = text.indexOf('>', open);
  if (close < 0) return undefined;
  const parameters = parseParameters(text, close + 1);
  const name = unquote(text.slice(0, open).trim());
  return build(name === '' ? undefined : name, text.slice(open + 1, close).trim(), parameters);
}

function openAfterQuotedName(text: string): number {
  const end = endOfQuoted(text, 0);
  if (end < 0) return -2;
  const open = skipWhitespace(text, end);
  return text.charCodeAt(open) === 0x3c ? open : -2;
}

/** Without brackets every parameter belongs to the header, and neither `?` nor `,` may stand in the URI. */
function parseAddressSpecification(text: string): NameAddress | undefined {
  const semicolon = indexOutside(text, ';', 0);
  const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  if (/[?,]/.test(uri)) return undefined;
  return build(undefined, uri, parseParameters(text, semicolon < 0 ? text.length : semicolon));
}

function build(
  displayName: string | undefined,
  uri: string,
  parameters: Parameters | undefined,
): NameAddress | undefined {
  const scheme = schemeOf(uri);
  if (parameters === undefined || scheme === undefined || /\s/.test(uri)) return undefined;
  const sipUri = scheme === 'sip' || scheme === 'sips' ? parseSipUri(uri) : undefined;
  if ((scheme === 'sip' || scheme === 'sips') && sipUri === undefined) return undefined;
  return { displayName, uri, sipUri, parameters };
}

export function tagOf(address: NameAddress): string | undefined {
  const tag = address.parameters.get('tag');
  return tag === '' ? undefined : tag;
}

/** What call control sees of an address. */
export function toSipAddress(address: NameAddress): SipAddress {
  const { displayName, uri, sipUri } = address;
  if (sipUri !== undefined)
    return { displayName, uri, user: decodeUser(sipUri.user ?? ''), host: sipUri.host };
  const number = uri.slice(uri.indexOf(':') + 1);
  const semicolon = number.indexOf(';');
  return { displayName, uri, user: semicolon < 0 ? number : number.slice(0, semicolon), host: '' };
}
