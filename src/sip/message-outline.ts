import { headerKey } from './message.ts';

/** What tells one message of a call from another, read without judging it. */
export interface MessageOutline {
  readonly callId: string;
  /** Of a response, that of its CSeq. */
  readonly method: string;
  /** Undefined for a request. */
  readonly status: number | undefined;
  readonly reason: string;
  readonly sequence: number;
  readonly contentType: string;
  /** An INVITE that begins a dialog. */
  readonly opensCall: boolean;
  /** The same for every transmission of one message, and for nothing else in its direction. */
  readonly transmissionKey: string;
}

const maxHeaderLines = 256;
const maxContentType = 256;
const wanted = new Set(['call-id', 'cseq', 'to', 'via', 'rseq', 'content-type']);
/** That their names begin with, compact forms too. */
const wantedLetters = new Set([...'ictvr'].map((letter) => letter.charCodeAt(0)));

/** Where the body begins; the whole length where there is none. */
export function bodyStart(text: string): number {
  const at = /\r?\n\r?\n/.exec(text);
  return at === null ? text.length : at.index + at[0].length;
}

/** Undefined for what has no start line, Call-ID or CSeq of SIP. */
export function outlineMessage(text: string): MessageOutline | undefined {
  const head = text.slice(0, bodyStart(text));
  const feed = head.indexOf('\n');
  const start = parseStartLine(lineUntil(head, 0, feed));
  if (start === undefined) return undefined;
  const headers = feed < 0 ? new Map<string, string>() : readHeaders(head, feed + 1);
  const callId = headers.get('call-id') ?? '';
  const cseq = /^(\d{1,10})\s+(\S{1,32})/.exec(headers.get('cseq') ?? '');
  if (callId === '' || cseq === null) return undefined;
  const method = start.method ?? cseq[2]!;
  const toTag = /;\s*tag\s*=\s*([^\s;,]+)/i.exec(headers.get('to') ?? '')?.[1] ?? '';
  // Every ACK to a 2xx has a branch of its own (RFC 3261 section 13.2.2.4).
  const branch =
    method === 'ACK' ? '' : (/;\s*branch\s*=\s*([^\s;,]+)/i.exec(headers.get('via') ?? '')?.[1] ?? '');
  const what = start.status ?? method;
  return {
    callId,
    method,
    status: start.status,
    reason: start.reason,
    sequence: Number(cseq[1]),
    contentType: (headers.get('content-type') ?? '').slice(0, maxContentType),
    opensCall: start.status === undefined && method === 'INVITE' && toTag === '',
    transmissionKey: [what, cseq[1], cseq[2], toTag, branch, headers.get('rseq') ?? ''].join(' '),
  };
}

function parseStartLine(
  line: string,
): { method: string | undefined; status: number | undefined; reason: string } | undefined {
  const response = /^SIP\/2\.0\s+(\d{3})\s*(.*)$/is.exec(line);
  if (response) return { method: undefined, status: Number(response[1]), reason: response[2]!.trim() };
  const request = /^(\S{1,32})\s.*\sSIP\/2\.0\s*$/i.exec(line);
  return request ? { method: request[1]!, status: undefined, reason: '' } : undefined;
}

/** @param feed where the line feed stands; negative for the last line */
function lineUntil(text: string, start: number, feed: number): string {
  if (feed < 0) return text.slice(start);
  return text.slice(start, feed > start && text.charCodeAt(feed - 1) === 0x0d ? feed - 1 : feed);
}

/** The first of each that is wanted: of Via, the topmost. */
function readHeaders(head: string, start: number): Map<string, string> {
  const found = new Map<string, string>();
  let at = start;
  for (let lines = 1; lines < maxHeaderLines; lines++) {
    const feed = head.indexOf('\n', at);
    if (mayBeWanted(head.charCodeAt(at))) {
      const line = lineUntil(head, at, feed);
      const colon = line.indexOf(':');
      const key = colon <= 0 ? '' : headerKey(line.slice(0, colon).trim());
      if (wanted.has(key) && !found.has(key)) found.set(key, line.slice(colon + 1).trim());
    }
    if (feed < 0) break;
    at = feed + 1;
  }
  return found;
}

/** By the first character of a line; most lines of a message are not. What is no letter may stand before a name. */
function mayBeWanted(code: number): boolean {
  const lower = code | 0x20;
  return lower < 0x61 || lower > 0x7a || wantedLetters.has(lower);
}
