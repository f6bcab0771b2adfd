import type { LineCodecName } from './line-codec.ts';
import { lineCodecOfPayloadType, lineCodecs, payloadTypeOf, ptimeMs } from './line-codec.ts';
import type { PhoneSrtpSuite } from './phone-srtp.ts';

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
  /** The usual one where it is not set. */
  opusPayloadType?: number;
  telephoneEventPayloadType: number | undefined;
  direction: MediaDirection;
  /** Length of the packets that are asked for; 20 ms where it is not set. */
  packetMs?: number;
  /** `RTP/AVP` where it is not set. */
  profile?: string;
  /** SDES (RFC 4568), at most one. */
  crypto?: PhoneCrypto;
}

export interface PhoneCrypto {
  tag: number;
  suite: PhoneSrtpSuite;
  /** Master key and salt, base64. */
  key: string;
}

/** Our description, offer and answer alike. `version` rises with each of a session (RFC 3264, section 8). */
export function writePhoneSdp(media: PhoneMedia, sessionId: number, version: number): string {
  const { address, port, codecs, telephoneEventPayloadType: eventType, direction } = media;
  const { profile = 'RTP/AVP', crypto, packetMs = ptimeMs, opusPayloadType } = media;
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const payloadTypes = codecs.map((name) => payloadTypeOf(name, opusPayloadType));
  const events = eventType === undefined ? [] : [eventType];
  const lines = [
    'v=0',
    `o=- ${sessionId} ${version} IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} ${profile} ${[...payloadTypes, ...events].join(' ')}`,
    ...codecs.map((name, index) => `a=rtpmap:${payloadTypes[index]} ${lineCodecs[name].rtpmap}`),
    ...events.flatMap((type) => [
      `a=rtpmap:${type} telephone-event/${clockOf(codecs)}`,
      `a=fmtp:${type} 0-15`,
    ]),
    `a=ptime:${packetMs}`,
    ...(crypto ? [`a=crypto:${crypto.tag} ${crypto.suite} inline:${crypto.key}`] : []),
    `a=${direction}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * The peer's first audio description, reduced to what a phone can speak.
 * @param suite whose `a=crypto` is read
 * @param speaks what the reader may be spoken to with; without it: everything
 * @throws Error that names what is missing
 */
export function readPhoneSdp(
  sdp: string,
  suite?: PhoneSrtpSuite,
  speaks?: readonly LineCodecName[],
): PhoneMedia {
  const { session, audio } = sections(sdp.split(/\r?\n/));
  const [media] = audio;
  const [, port, profile, ...payloadTypes] = media?.split(' ') ?? [];
  const connection = find(audio, 'c=') ?? find(session, 'c=');
  const address = connection?.split(' ')[2];
  if (port === undefined || address === undefined)
    throw new Error(`the session description has no audio with an address: ${JSON.stringify(sdp)}`);

  const rates = new Map(
    audio
      .filter((line) => line.startsWith('a=rtpmap:'))
      .map((line) => line.slice('a=rtpmap:'.length).split(' ') as [string, string | undefined]),
  );
  const opusType = payloadTypes.find((type) => rates.get(type)?.toLowerCase().startsWith('opus/48000'));
  const opusPayloadType = opusType === undefined ? noPayloadType : Number(opusType);
  const codecs = payloadTypes.flatMap(
    (type) => lineCodecOfPayloadType(Number(type), opusPayloadType)?.name ?? [],
  );
  // Of the clock of what will be spoken (RFC 4733, section 2.1).
  const common = speaks ? codecs.filter((name) => speaks.includes(name)) : codecs;
  const event = `telephone-event/${clockOf(common)}`;
  const eventType = payloadTypes.find((type) => rates.get(type)?.toLowerCase().startsWith(event));
  return {
    address,
    port: Number(port),
    codecs,
    ...(opusPayloadType !== noPayloadType &&
      opusPayloadType !== lineCodecs.OPUS.payloadType && { opusPayloadType }),
    telephoneEventPayloadType: eventType === undefined ? undefined : Number(eventType),
    direction: directionOf(audio) ?? directionOf(session) ?? 'sendrecv',
    ...(profile !== 'RTP/AVP' && { profile }),
    ...cryptoOf(audio, suite),
  };
}

function clockOf([first]: readonly LineCodecName[]): number {
  return first === undefined ? 8000 : lineCodecs[first].clockRateHz;
}

function cryptoOf(lines: readonly string[], suite: PhoneSrtpSuite | undefined): { crypto?: PhoneCrypto } {
  for (const line of lines) {
    const [, tag, name, key = ''] = /^a=crypto:(\d+) (\S+) inline:([^|\s]+)/.exec(line) ?? [];
    if (suite !== undefined && name === suite) return { crypto: { tag: Number(tag), suite, key } };
  }
  return {};
}

/** What we may do when the peer wants this (RFC 3264, section 6.1). */
export function oppositeDirection(direction: MediaDirection): MediaDirection {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}

/** It is never a dynamic one without an rtpmap. */
const noPayloadType = -1;
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
