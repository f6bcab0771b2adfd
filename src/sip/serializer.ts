import type { AnswerableRequest, HeaderField } from './message.ts';
import type { SipHeader } from './session.ts';
import { reasonPhrase } from './status.ts';

/** A body with its media type. */
export interface SipBody {
  readonly contentType: string;
  readonly content: string;
}

/** A request before the transport is chosen: everything but Via, Max-Forwards and the body headers. */
export interface RequestDraft {
  readonly method: string;
  readonly uri: string;
  /** From, To, Call-ID, CSeq, Route, Contact and the rest, in the order to be sent. */
  readonly headers: readonly SipHeader[];
  readonly body?: SipBody | undefined;
  /** RFC 3261 section 8.1.1.6; 70 unless given. */
  readonly maxForwards?: number | undefined;
}

export interface ResponseOptions {
  readonly reason?: string | undefined;
  /** Added to the To of the request when that has none. */
  readonly toTag?: string | undefined;
  readonly headers?: readonly SipHeader[] | undefined;
  readonly body?: SipBody | undefined;
}

/** A response ready for the wire. */
export interface OutgoingResponse {
  readonly status: number;
  readonly bytes: Buffer;
}

/** RFC 3261 section 8.1.1.6: of a request that begins with us. */
export const defaultMaxForwards = 70;

/** Line breaks in a value would begin a header of somebody else's making. */
function clean(text: string): string {
  return /[\r\n\0]/.test(text) ? text.replace(/[\r\n\0]+/g, ' ') : text;
}

function headerLines(headers: readonly SipHeader[]): string {
  let text = '';
  for (const header of headers) text += `${clean(header.name)}: ${clean(header.value)}\r\n`;
  return text;
}

/** Messages are kept for half a minute, and one in the pool of Node's Buffers would keep all that share its 64 kB. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

function withBody(head: string, body: SipBody | undefined): Buffer {
  if (body === undefined) return bytesOf(`${head}Content-Length: 0\r\n\r\n`);
  const { contentType, content } = body;
  const bodyBytes = Buffer.byteLength(content);
  return bytesOf(`${head}Content-Type: ${contentType}\r\nContent-Length: ${bodyBytes}\r\n\r\n${content}`);
}

/** @param via value of the top Via, chosen by the transport */
export function serializeRequest(draft: RequestDraft, via: string): Buffer {
  const { maxForwards = defaultMaxForwards } = draft;
  const head = `${draft.method} ${clean(draft.uri)} SIP/2.0\r\nVia: ${via}\r\nMax-Forwards: ${maxForwards}\r\n`;
  return withBody(head + headerLines(draft.headers), draft.body);
}

/**
 * RFC 3261 section 8.2.6.2: Via, From, To, Call-ID and CSeq are those of the request. Works on a request that
 * could only be read in part: it then copies what there is.
 */
export function buildResponse(
  request: AnswerableRequest,
  status: number,
  options: ResponseOptions = {},
): OutgoingResponse {
  let head = `SIP/2.0 ${status} ${clean(options.reason ?? reasonPhrase(status))}\r\n`;
  for (const header of request.headers) head += copiedLine(header, status, options.toTag);
  return { status, bytes: withBody(head + headerLines(options.headers ?? []), options.body) };
}

function copiedLine(header: HeaderField, status: number, toTag: string | undefined): string {
  switch (header.key) {
    case 'via':
      return `Via: ${header.value}\r\n`;
    case 'from':
      return `From: ${header.value}\r\n`;
    case 'to':
      return toTag === undefined || hasTag(header.value)
        ? `To: ${header.value}\r\n`
        : `To: ${header.value};tag=${toTag}\r\n`;
    case 'call-id':
      return `Call-ID: ${header.value}\r\n`;
    case 'cseq':
      return `CSeq: ${header.value}\r\n`;
    case 'timestamp':
      // Section 8.2.6.1: only a 100 carries the request's Timestamp.
      return status === 100 ? `Timestamp: ${header.value}\r\n` : '';
    default:
      return '';
  }
}

function hasTag(value: string): boolean {
  const parameters = value.slice(value.lastIndexOf('>') + 1);
  return /;\s*tag\s*=/i.test(parameters);
}
