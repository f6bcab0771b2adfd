import { mediaDirection } from '../sdp/direction.ts';
import { payloadFormats } from '../sdp/payload-format.ts';
import {
  attributeValue,
  type MediaDescription,
  parseSessionDescription,
  type SessionDescription,
} from '../sdp/session-description.ts';

/** The session description in a message, also one of several parts; undefined where there is none. */
export function sdpOf(message: string): SessionDescription | undefined {
  const start = /^v=0[ \t]*\r?$/m.exec(message)?.index;
  if (start === undefined) return undefined;
  const [description = ''] = message.slice(start).split(/^--/m);
  try {
    return parseSessionDescription(description);
  } catch {
    return undefined;
  }
}

/** One line for each stream: `audio 192.0.2.1:4000 RTP/AVP PCMU/8000 telephone-event/8000 sendrecv`. */
export function sdpLines(session: SessionDescription): string[] {
  return session.media.map((media) => {
    const { kind, port, protocol } = media;
    if (port === 0) return `${kind} refused`;
    const address = (media.connection ?? session.connection)?.address ?? '?';
    const ptime = attributeValue(media, 'ptime');
    return [
      `${kind} ${address}:${port} ${protocol}`,
      ...payloadFormats(media).map(
        ({ encoding, clockRateHz }) =>
          `${encoding === 'TELEPHONE-EVENT' ? encoding.toLowerCase() : encoding}/${clockRateHz}`,
      ),
      mediaDirection(session, media),
      ...(ptime === undefined ? [] : [`ptime ${ptime}`]),
      ...(isKeyed(media) ? ['SRTP'] : []),
    ].join(' ');
  });
}

/** In one word what tells this description from a usual one: who may speak. */
export function sdpMark(session: SessionDescription): string {
  const audio = session.media.find(({ kind, port }) => kind === 'audio' && port !== 0);
  if (!audio) return 'sdp';
  const direction = mediaDirection(session, audio);
  return direction === 'sendrecv' ? 'sdp' : `sdp ${direction}`;
}

function isKeyed({ attributes }: MediaDescription): boolean {
  return attributes.some(({ name }) => name === 'crypto');
}
