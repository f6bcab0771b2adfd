import type { LineCodecName } from './line-codec.ts';
import { lineCodecs } from './line-codec.ts';

/**
 * A test phone's own small session descriptions (RFC 8866, RFC 3264), so that it is a second opinion on the ones
 * under test: it shares no code with `sdp/`.
 */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface PhoneMedia {
  address: string;
  port: number;
  /** In order of preference. */
  codecs: readonly LineCodecName[];
  telephoneEventPayloadType: number | undefined;
  direction: MediaDirection;
}

/** Our description, offer and answer alike. `version` rises with each of a session (RFC 3264, section 8). */
export function writePhoneSdp(media: PhoneMedia, sessionId: number, version: number): string {
  const { address, port, codecs, telephoneEventPayloadType: eventType, direction } = media;
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const payloadTypes = codecs.map((name) => lineCodecs[name].payloadType);
  const events = eventType === undefined ? [] : [eventType];
  const lines = [
    'v=0',
    `o=- ${sessionId} ${version} IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${[...payloadTypes, ...events].join(' ')}`,
    ...codecs.map((name) => `a=rtpmap:${lineCodecs[name].payloadType} ${name}/8000`),
    ...events.flatMap((type) => [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-15`]),
    'a=ptime:20',
    `a=${direction}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * The peer's first audio description, reduced to what a phone can speak.
 * @throws Error that names what is missing
 */
export function readPhoneSdp(sdp: string): PhoneMedia {
  const { session, audio } = sections(sdp.split(/\r?\n/));
  const [media] = audio;
  const [, port, , ...payloadTypes] = media?.split(' ') ?? [];
  const connection = find(audio, 'c=') ?? find(session, 'c=');
  const address = connection?.split(' ')[2];
  if (port === undefined || address === undefined)
    throw new Error(`the session description has no audio with an address: ${JSON.stringify(sdp)}`);

  const rates = new Map(
    audio
      .filter((line) => line.startsWith('a=rtpmap:'))
      .map((line) => line.slice('a=rtpmap:'.length).split(' ') as [string, string | undefined]),
  );
  const eventType = payloadTypes.find((type) => /^telephone-event\/8000/i.test(rates.get(type) ?? ''));
  return {
    address,
    port: Number(port),
    codecs: payloadTypes.flatMap((type) =>
      codecNames.filter((name) => lineCodecs[name].payloadType === Number(type)),
    ),
    telephoneEventPayloadType: eventType === undefined ? undefined : Number(eventType),
    direction: directionOf(audio) ?? directionOf(session) ?? 'sendrecv',
  };
}

/** What we may do when the peer wants this (RFC 3264, section 6.1). */
export function oppositeDirection(direction: MediaDirection): MediaDirection {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}

const codecNames = Object.keys(lineCodecs) as LineCodecName[];
const directions: readonly MediaDirection[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

function sections(lines: readonly string[]): { session: string[]; audio: string[] } {
  const session: string[] = [];
  const audio: string[] = [];
  let current: string[] | undefined = session;
  for (const line of lines) {
    if (line.startsWith('m='))
      current = line.startsWith('m=audio ') && audio.length === 0 ? audio : undefined;
    current?.push(line);
  }
  return { session, audio };
}

function find(lines: readonly string[], prefix: string): string | undefined {
  return lines.find((line) => line.startsWith(prefix));
}

function directionOf(lines: readonly string[]): MediaDirection | undefined {
  return directions.find((direction) => lines.includes(`a=${direction}`));
}
