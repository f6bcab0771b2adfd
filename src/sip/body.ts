import { bodyText, headerValue, headerValues, type SipMessage } from './message.ts';
import { parameterText, parseParameters } from './parameters.ts';

export const sdpType = 'application/sdp';
/** Value of Accept in 415 and OPTIONS responses. */
export const acceptedTypes = 'application/sdp, multipart/mixed';

const sdpRanges: ReadonlySet<string> = new Set([sdpType, 'application/*', '*/*', '*']);

const maxParts = 16;

/** Media type in lower case without parameters; undefined where the message has no body. */
export function mediaType(message: SipMessage): string | undefined {
  if (message.body.length === 0) return undefined;
  // RFC 3261 section 20.15 asks for a Content-Type with every body; what comes without one is a session description.
  const value = headerValue(message, 'content-type') ?? sdpType;
  const semicolon = value.indexOf(';');
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}

/** The session description of a message, also out of a multipart body (RFC 5621). */
export function sessionDescription(message: SipMessage): string | undefined {
  const type = mediaType(message);
  if (type === undefined) return undefined;
  if (type === sdpType) return bodyText(message);
  if (!type.startsWith('multipart/')) return undefined;
  const part = bodyParts(message).find(({ contentType }) => contentType.toLowerCase().startsWith(sdpType));
  return part?.content;
}

/** Whether an answer may carry SDP (RFC 3261 section 20.1): without an Accept, it may. */
export function takesSessionDescription(request: SipMessage): boolean {
  const ranges = headerValues(request, 'accept').map((value) =>
    value.replace(/;.*$/s, '').trim().toLowerCase(),
  );
  return ranges.length === 0 || ranges.some((range) => sdpRanges.has(range));
}

export interface BodyPart {
  readonly contentType: string;
  readonly content: string;
}

/** The parts of a multipart body (RFC 2046 section 5.1), one level deep; empty where it is none. */
export function bodyParts(message: SipMessage): BodyPart[] {
  const header = headerValue(message, 'content-type') ?? '';
  const semicolon = header.indexOf(';');
  const parameters = semicolon < 0 ? undefined : parseParameters(header, semicolon);
  const boundary = parameters === undefined ? undefined : parameterText(parameters, 'boundary');
  if (!boundary) return [];
  const text = `\n${bodyText(message)}`;
  const delimiter = `\n--${boundary}`;
  const parts: BodyPart[] = [];
  let at = text.indexOf(delimiter);
  while (at >= 0 && parts.length < maxParts) {
    const start = at + delimiter.length;
    if (text.startsWith('--', start)) break;
    const next = text.indexOf(delimiter, start);
    parts.push(readPart(text.slice(start, next < 0 ? text.length : next)));
    at = next;
  }
  return parts;
}

/** @param text from behind the boundary to before the line break of the next one */
function readPart(text: string): BodyPart {
  const lines = text.slice(text.indexOf('\n') + 1);
  const blank = /^\r?\n|\r?\n\r?\n/.exec(lines);
  const head = blank === null ? '' : lines.slice(0, blank.index);
  const content = blank === null ? lines : lines.slice(blank.index + blank[0].length);
  const type = /^content-type[ \t]*:[ \t]*(.*?)\r?$/im.exec(head)?.[1];
  return {
    contentType: type ?? 'text/plain',
    content: content.endsWith('\r') ? content.slice(0, -1) : content,
  };
}
