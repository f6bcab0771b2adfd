import {
  type AnswerableRequest,
  type CSeq,
  type HeaderField,
  headerKey,
  type SipMessage,
  usualHeader,
} from './message.ts';
import { type NameAddress, parseNameAddress } from './name-address.ts';
import { indexOutside, isToken, parseDecimal } from './scan.ts';
import { parseSipUri, schemeOf } from './uri.ts';
import { parseVia, type Via } from './via.ts';

export const parserLimits = {
  messageBytes: 65_535,
  headers: 256,
  lineCharacters: 8192,
} as const;

/** Why a message was refused. `request` is set where an error response can be sent. */
export interface ParseFailure {
  readonly status: number;
  readonly reason: string;
  /** Header (or `start line`) at fault. */
  readonly where: string;
  readonly request: AnswerableRequest | undefined;
}

export type ParseResult =
  | { readonly ok: true; readonly message: SipMessage }
  | { readonly ok: false; readonly failure: ParseFailure };

/** Internal refusal; never leaves this file. */
class Refusal extends Error {
  readonly status: number;
  readonly where: string;
  constructor(where: string, reason: string, status = 400) {
    super(reason);
    this.where = where;
    this.status = status;
  }
}

type StartLine =
  | { kind: 'request'; method: string; uri: string; version: string }
  | { kind: 'response'; status: number; reason: string };

/**
 * Reads one datagram or one framed stream message (RFC 3261 section 7). Headers that nobody here needs may hold
 * anything; what decides routing and framing is strict.
 */
export function parseMessage(bytes: Uint8Array, framing: 'datagram' | 'stream' = 'datagram'): ParseResult {
  const headers: HeaderField[] = [];
  let method = '';
  try {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length > parserLimits.messageBytes) throw new Refusal('message', 'Message Too Large', 513);
    const headStart = skipLeadingLines(buffer);
    const blank = buffer.indexOf('\r\n\r\n', headStart);
    const head = buffer.toString('utf8', headStart, blank < 0 ? buffer.length : blank);
    const lineEnd = head.indexOf('\r\n');
    const firstLine = lineEnd < 0 ? head : head.slice(0, lineEnd);
    // The headers come first: without them not even a bad start line can be answered.
    method = firstLine.slice(0, Math.max(firstLine.indexOf(' '), 0));
    if (lineEnd >= 0) readHeaders(head, lineEnd + 2, headers);
    const start = parseStartLine(firstLine);
    if (blank < 0) throw new Refusal('message', 'No Empty Line After The Headers');
    const body = readBody(headers, buffer.subarray(blank + 4), framing);
    return { ok: true, message: assemble(start, headers, body) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const request = answerable(method, headers);
    return {
      ok: false,
      failure: { status: error.status, reason: error.message, where: error.where, request },
    };
  }
}

/** RFC 3261 section 7.5: empty lines before the start line are ignored. */
function skipLeadingLines(buffer: Buffer): number {
  let at = 0;
  while (buffer[at] === 0x0d && buffer[at + 1] === 0x0a) at += 2;
  return at;
}

function parseStartLine(line: string): StartLine {
  if (line.length > parserLimits.lineCharacters) throw new Refusal('start line', 'Request-URI Too Long', 414);
  if (line.startsWith('SIP/')) return parseStatusLine(line);
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (first < 0 || last === first) throw new Refusal('start line', 'Malformed Start Line');
  const method = line.slice(0, first);
  const uri = line.slice(first + 1, last);
  const version = line.slice(last + 1);
  if (!isToken(method)) throw new Refusal('start line', 'Malformed Method');
  if (!/^SIP\/\d+\.\d+$/i.test(version)) throw new Refusal('start line', 'Malformed SIP Version');
  if (version.toUpperCase() !== 'SIP/2.0') throw new Refusal('start line', 'Version Not Supported', 505);
  checkRequestUri(uri);
  return { kind: 'request', method, uri, version };
}

function parseStatusLine(line: string): StartLine {
  const status = parseDecimal(line.slice(8, 11), 699);
  const separator = line.charAt(11);
  if (
    !line.startsWith('SIP/2.0 ') ||
    status === undefined ||
    status < 100 ||
    (separator !== ' ' && separator !== '')
  )
    throw new Refusal('start line', 'Malformed Status Line');
  return { kind: 'response', status, reason: line.slice(12) };
}

/** Other schemes pass: the user agent answers them with 416. */
function checkRequestUri(uri: string): void {
  const scheme = schemeOf(uri);
  if (scheme === undefined || /[\s<>"]/.test(uri)) throw new Refusal('Request-URI', 'Malformed Request-URI');
  if (scheme !== 'sip' && scheme !== 'sips') return;
  const parsed = parseSipUri(uri);
  // RFC 3261 section 19.1.1, table 1: no headers in a Request-URI.
  if (parsed === undefined || parsed.headers !== undefined)
    throw new Refusal('Request-URI', 'Malformed Request-URI');
}

/** Reads on past a malformed line, so that the Via behind it can still be found; then refuses. */
function readHeaders(head: string, start: number, headers: HeaderField[]): void {
  let malformed = false;
  let at = start;
  while (at < head.length) {
    let end = endOfLine(head, at);
    let line = head.slice(at, end);
    // Section 7.3.1: a line that begins with white space continues the one before.
    while (end + 2 < head.length && isFold(head.charCodeAt(end + 2))) {
      const next = endOfLine(head, end + 2);
      line += ` ${head.slice(end + 2, next).trim()}`;
      if (line.length > parserLimits.lineCharacters) throw new Refusal('message', 'Header Line Too Long');
      end = next;
    }
    if (headers.length >= parserLimits.headers) throw new Refusal('message', 'Too Many Headers');
    const header = parseHeaderLine(line);
    if (header === undefined) malformed = true;
    else headers.push(header);
    at = end + 2;
  }
  if (malformed) throw new Refusal('message', 'Malformed Header Line');
}

function isFold(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A bare CR or LF is refused: what one element takes for text, another takes for the next header. */
function endOfLine(head: string, start: number): number {
  const found = head.indexOf('\r\n', start);
  const end = found < 0 ? head.length : found;
  if (end - start > parserLimits.lineCharacters) throw new Refusal('message', 'Header Line Too Long');
  const lineFeed = head.indexOf('\n', start);
  const carriageReturn = head.indexOf('\r', start);
  if ((lineFeed >= 0 && lineFeed < end) || (carriageReturn >= 0 && carriageReturn < end))
    throw new Refusal('message', 'Bare CR Or LF In A Header');
  return end;
}

function parseHeaderLine(line: string): HeaderField | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trimEnd();
  const usual = usualHeader(name);
  if (!usual && !isToken(name)) return undefined;
  return {
    name: usual?.name ?? name,
    key: usual?.key ?? headerKey(name),
    value: line.slice(colon + 1).trim(),
  };
}

function assemble(start: StartLine, headers: HeaderField[], body: Buffer): SipMessage {
  const via = topVia(headers);
  if (via === undefined) throw new Refusal('Via', 'Malformed Via');
  const callId = single(headers, 'call-id', 'Call-ID');
  if (callId === '' || /\s/.test(callId)) throw new Refusal('Call-ID', 'Malformed Call-ID');
  const cseq = parseCSeq(single(headers, 'cseq', 'CSeq'));
  const from = address(single(headers, 'from', 'From'), 'From');
  const to = address(single(headers, 'to', 'To'), 'To');
  const essentials = { headers, via, callId, cseq, from, to, body };
  if (start.kind === 'response')
    return { kind: 'response', status: start.status, reason: start.reason, ...essentials };
  if (start.method !== cseq.method) throw new Refusal('CSeq', 'CSeq Method Differs From Request');
  checkMaxForwards(headers);
  return { kind: 'request', method: start.method, uri: start.uri, ...essentials };
}

function single(headers: readonly HeaderField[], key: string, name: string): string {
  let value: string | undefined;
  for (const header of headers) {
    if (header.key !== key) continue;
    if (value !== undefined) throw new Refusal(name, `Repeated ${name}`);
    value = header.value;
  }
  if (value === undefined) throw new Refusal(name, `Missing ${name}`);
  return value;
}

function address(value: string, name: string): NameAddress {
  const parsed = parseNameAddress(value);
  if (parsed === undefined) throw new Refusal(name, `Malformed ${name}`);
  return parsed;
}

/** RFC 3261 section 8.1.1.5: the number is below 2^31. */
function parseCSeq(value: string): CSeq {
  const space = value.search(/[ \t]/);
  const sequence = parseDecimal(value.slice(0, Math.max(space, 0)), 2 ** 31 - 1);
  const method = value.slice(space + 1).trim();
  if (sequence === undefined || !isToken(method)) throw new Refusal('CSeq', 'Malformed CSeq');
  return { sequence, method };
}

function checkMaxForwards(headers: readonly HeaderField[]): void {
  for (const header of headers)
    if (header.key === 'max-forwards' && parseDecimal(header.value, 255) === undefined)
      throw new Refusal('Max-Forwards', 'Malformed Max-Forwards');
}

/** Section 18.3: too few bytes are an error, surplus ones are cut off, no header means all of a datagram. */
function readBody(headers: readonly HeaderField[], rest: Buffer, framing: 'datagram' | 'stream'): Buffer {
  let length: number | undefined;
  for (const header of headers) {
    if (header.key !== 'content-length') continue;
    if (length !== undefined) throw new Refusal('Content-Length', 'Repeated Content-Length');
    length = parseDecimal(header.value, parserLimits.messageBytes);
    if (length === undefined) throw new Refusal('Content-Length', 'Malformed Content-Length');
  }
  if (length === undefined && framing === 'stream')
    throw new Refusal('Content-Length', 'Missing Content-Length');
  if (length === undefined) return rest;
  if (length > rest.length) throw new Refusal('Content-Length', 'Body Shorter Than Content-Length');
  return rest.subarray(0, length);
}

function topVia(headers: readonly HeaderField[]): Via | undefined {
  for (const header of headers) {
    if (header.key !== 'via') continue;
    const comma = indexOutside(header.value, ',', 0);
    return parseVia(comma < 0 ? header.value : header.value.slice(0, comma));
  }
  return undefined;
}

/** The top Via without its parameters. */
function sentBy(headers: readonly HeaderField[]): Via | undefined {
  const top = headers.find(({ key }) => key === 'via');
  const semicolon = top === undefined ? -1 : top.value.indexOf(';');
  return semicolon < 0 ? undefined : parseVia(top!.value.slice(0, semicolon));
}

/** ACK is never answered; without a Via nobody knows where an answer belongs. What follows its host may be broken. */
function answerable(method: string, headers: HeaderField[]): AnswerableRequest | undefined {
  const via = topVia(headers) ?? sentBy(headers);
  if (via === undefined || method === 'ACK' || method === '' || method.startsWith('SIP/')) return undefined;
  return { method, headers, via };
}
