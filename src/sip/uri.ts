import { type Parameters, parseParameters } from './parameters.ts';
import { parseDecimal } from './scan.ts';

/** A `sip:` or `sips:` URI (RFC 3261 section 19.1), user and password as written (escaped). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
  /** What follows `?`, as written. */
  readonly headers: string | undefined;
}

/** The scheme in lower case, or undefined where the text does not begin with one. */
export function schemeOf(uri: string): string | undefined {
  const match = /^[A-Za-z][A-Za-z0-9+.-]*(?=:.)/.exec(uri);
  return match?.[0].toLowerCase();
}

/** @returns undefined where the text is no valid SIP URI; the host is checked strictly */
export function parseSipUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  if (hasForbiddenCharacter(text)) return undefined;
  const rest = text.slice(colon + 1);
  const at = rest.indexOf('@');
  const userInfo = at < 0 ? undefined : splitUserInfo(rest.slice(0, at));
  if (at >= 0 && userInfo === undefined) return undefined;
  const tail = at < 0 ? rest : rest.slice(at + 1);
  const question = tail.indexOf('?');
  const address = question < 0 ? tail : tail.slice(0, question);
  const semicolon = address.indexOf(';');
  const hostPort = parseHostPort(semicolon < 0 ? address : address.slice(0, semicolon));
  const parameters = parseParameters(address, semicolon < 0 ? address.length : semicolon);
  if (hostPort === undefined || parameters === undefined) return undefined;
  return {
    scheme,
    user: userInfo?.user,
    password: userInfo?.password,
    host: hostPort.host,
    port: hostPort.port,
    parameters,
    headers: question < 0 ? undefined : tail.slice(question + 1),
  };
}

function splitUserInfo(text: string): { user: string; password: string | undefined } | undefined {
  if (text === '' || text.startsWith(':')) return undefined;
  const colon = text.indexOf(':');
  if (colon < 0) return { user: text, password: undefined };
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** White space, control characters, quotes and brackets stand in no URI; a percent sign needs two hex digits. */
function hasForbiddenCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f || code === 0x22 || code === 0x3c || code === 0x3e) return true;
    if (code === 0x25 && !(isHex(text.charCodeAt(i + 1)) && isHex(text.charCodeAt(i + 2)))) return true;
  }
  return false;
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}

/** `host`, `host:port`, `[v6]` or `[v6]:port`. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  if (text.startsWith('[') && bracket < 0) return undefined;
  const colon = text.indexOf(':', bracket + 1);
  const hostText = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? undefined : parseDecimal(text.slice(colon + 1), 65535);
  if (colon >= 0 && (port === undefined || port === 0)) return undefined;
  if (bracket >= 0) {
    const inner = hostText.slice(1, -1);
    return bracket === hostText.length - 1 && isIpv6Text(inner)
      ? { host: inner.toLowerCase(), port }
      : undefined;
  }
  return isHostName(hostText) ? { host: hostText.toLowerCase(), port } : undefined;
}

function isIpv6Text(text: string): boolean {
  return text.length <= 45 && text.includes(':') && /^[0-9A-Fa-f:.]+$/.test(text);
}

/** Letters, digits, hyphens and (as networks of containers use them) underscores, in labels parted by single dots. */
function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > 255) return false;
  let previous = 0x2e;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const alphanumeric =
      (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
    if (previous === 0x2e && !alphanumeric && code !== 0x5f) return false;
    if (!alphanumeric && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
    previous = code;
  }
  return true;
}

/** A host as it stands in a URI or a Via: IPv6 in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Percent-decoded; the text itself where it holds no valid UTF-8. */
export function decodeUser(user: string): string {
  if (!user.includes('%')) return user;
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/** RFC 3261 section 25.1: `unreserved` and `user-unreserved` stand as they are, the rest is percent-encoded. */
export function encodeUser(user: string): string {
  return encodeURIComponent(user).replace(/%(26|3D|2B|24|2C|3B|3F|2F)/g, (escaped) =>
    decodeURIComponent(escaped),
  );
}
