import { mediaType, sdpType } from './body.ts';
import { bodyText, type SipMessage } from './message.ts';
import type { SipBody } from './serializer.ts';
import { reasonPhrase } from './status.ts';

const sipfragType = 'message/sipfrag';
const maxReasonCharacters = 200;

export interface StatusLine {
  readonly status: number;
  readonly reason: string;
}

/** A body that is nothing but a status line (RFC 3420, as RFC 3515 section 2.4.5 has it). */
export function sipfrag({ status, reason }: { status: number; reason?: string | undefined }): SipBody {
  const phrase = (reason ?? reasonPhrase(status)).replace(/[\r\n\0]+/g, ' ').slice(0, maxReasonCharacters);
  return { contentType: `${sipfragType};version=2.0`, content: `SIP/2.0 ${status} ${phrase}\r\n` };
}

/** @returns undefined where the message carries no status line */
export function readSipfrag(message: SipMessage): StatusLine | undefined {
  const type = mediaType(message);
  // Without a Content-Type the body counts as a session description; some phones leave it out here.
  if (type !== sipfragType && type !== sdpType) return undefined;
  const match = /^SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t]+(.*?))?\r?(?:\n|$)/i.exec(
    bodyText(message).slice(0, 1024),
  );
  if (match === null) return undefined;
  return { status: Number(match[1]), reason: (match[2] ?? '').slice(0, maxReasonCharacters) };
}
