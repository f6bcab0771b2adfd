import { redactKeys } from '../sdp/redact-keys.ts';
import { bodyStart, type MessageOutline } from './message-outline.ts';

/** Says nothing that is secret: descriptions (their keys are taken out), the progress of a transfer, who is recorded. */
const keptBodies = /^(?:application\/sdp|message\/sipfrag|application\/rs-metadata)/i;
/** Digits and texts of the parties, whatever type they call it. */
const secretBodies: ReadonlySet<string> = new Set(['INFO', 'MESSAGE']);

/**
 * A message as it may be kept: without what proves a password, without media keys, and without bodies that people
 * wrote or dialled; those are replaced by their length.
 */
export function redactMessage(text: string, { method, contentType }: MessageOutline): string {
  const start = bodyStart(text);
  const body = text.slice(start);
  const head = redactHead(text.slice(0, start));
  if (body === '') return head;
  if (secretBodies.has(method)) return head + lengthOf(body);
  const boundary = /^multipart\/.*;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  if (boundary) return head + redactParts(body, `--${boundary[1] ?? boundary[2]}`);
  return head + redactBody(body, contentType);
}

function redactHead(head: string): string {
  return (
    head
      // A folded line belongs to the header above it (RFC 3261 section 7.3.1).
      .replace(/\r?\n[ \t]+/g, ' ')
      .replace(/^((?:proxy-)?authorization[ \t]*:[ \t]*)(?![ \t]|digest\b)(\S*).*$/gim, '$1$2 [redacted]')
      .replace(/\b(response|rspauth)([ \t]*=[ \t]*)(?:"[^"\r\n]*"?|[^\s,]+)/gi, '$1$2"[redacted]"')
      .replace(/(\bsips?:[^\s:@<>;]{1,128}):[^\s@<>;]{1,128}@/gi, '$1:[redacted]@')
  );
}

function redactBody(body: string, contentType: string): string {
  return keptBodies.test(contentType) ? redactKeys(body) : lengthOf(body);
}

/** RFC 2046 section 5.1; what stands before the first part and behind the last one is left out. */
function redactParts(body: string, delimiter: string): string {
  const [, ...parts] = body.split(delimiter);
  let redacted = '';
  for (const part of parts) {
    if (part.startsWith('--')) break;
    const start = bodyStart(part);
    const contentType = /^content-type[ \t]*:[ \t]*(.*)$/im.exec(part.slice(0, start))?.[1] ?? 'text/plain';
    redacted += delimiter + part.slice(0, start) + redactBody(part.slice(start).trimEnd(), contentType);
    redacted += '\r\n';
  }
  return `${redacted}${delimiter}--\r\n`;
}

function lengthOf(body: string): string {
  return `[${Buffer.byteLength(body)} bytes]`;
}
