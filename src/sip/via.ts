import { formatParameters, type Parameters, parseParameters } from './parameters.ts';
import { isToken, isWhitespace, skipWhitespace } from './scan.ts';
import { formatHost, parseHostPort } from './uri.ts';

/** One Via value (RFC 3261 section 20.42). */
export interface Via {
  /** `SIP/2.0` as a rule; kept, so that a foreign version can be answered with 505. */
  readonly protocol: string;
  /** Upper case: `UDP`, `TCP`, ... */
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: Parameters;
}

/** RFC 3261 section 8.1.1.7: branches of this form are unique; others come from RFC 2543 elements. */
export const magicCookie = 'z9hG4bK';

/** @returns undefined where the text is no Via value */
export function parseVia(text: string): Via | undefined {
  const first = text.indexOf('/');
  const second = text.indexOf('/', first + 1);
  if (first < 0 || second < 0) return undefined;
  const name = text.slice(0, first).trim();
  const version = text.slice(first + 1, second).trim();
  const transportStart = skipWhitespace(text, second + 1);
  let transportEnd = transportStart;
  while (transportEnd < text.length && !isWhitespace(text.charCodeAt(transportEnd))) transportEnd++;
  const transport = text.slice(transportStart, transportEnd);
  if (name.toUpperCase() !== 'SIP' || !isToken(version) || !isToken(transport)) return undefined;
  const semicolon = text.indexOf(';', transportEnd);
  const sentBy = text.slice(transportEnd, semicolon < 0 ? text.length : semicolon);
  const hostPort = parseHostPort(withoutSpaces(sentBy));
  const parameters = parseParameters(text, semicolon < 0 ? text.length : semicolon);
  if (hostPort === undefined || parameters === undefined) return undefined;
  return {
    protocol: `SIP/${version}`,
    transport: transport.toUpperCase(),
    host: hostPort.host,
    port: hostPort.port,
    parameters,
  };
}

/** RFC 3261 section 25.1, COLON: white space may stand on both sides. */
function withoutSpaces(sentBy: string): string {
  return sentBy
    .split(':')
    .map((part) => part.trim())
    .join(':');
}

export function formatVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `${via.protocol}/${via.transport} ${formatHost(via.host)}${port}${formatParameters(via.parameters)}`;
}

/** Port that responses go to when the Via names none (RFC 3261 section 18.2.2). */
export function defaultPort(transport: string): number {
  return transport === 'TLS' || transport === 'WSS' || transport === 'tls' || transport === 'wss'
    ? 5061
    : 5060;
}

/**
 * The Via with what its receiver adds: `received` where the sender's address differs from what it says of itself
 * (RFC 3261 section 18.2.1) or where it asked for `rport` (RFC 3581 section 4).
 */
export function stampVia(via: Via, address: string, port: number): Via {
  const wantsPort = via.parameters.has('rport');
  if (!wantsPort && via.host === address) return via;
  const parameters = new Map(via.parameters);
  if (wantsPort) parameters.set('rport', String(port));
  parameters.set('received', address.includes(':') ? `[${address}]` : address);
  return { ...via, parameters };
}
