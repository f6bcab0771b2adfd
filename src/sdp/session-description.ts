import { CallreelError } from '../errors.ts';
import { redactKeys } from './redact-keys.ts';

/** SDP as data (RFC 8866), reduced to what decides about media. Lines of other types are left out. */
export interface SessionDescription {
  origin: Origin;
  name: string;
  connection: Connection | undefined;
  attributes: Attribute[];
  media: MediaDescription[];
}

export interface Origin {
  username: string;
  /** Digits; may be too large for a number. */
  sessionId: string;
  version: string;
  addressType: string;
  address: string;
}

/** `address` is as written (literal or name), without TTL and number of addresses. */
export interface Connection {
  addressType: 'IP4' | 'IP6';
  address: string;
}

/** `a=name` or `a=name:value`; names are case-sensitive. */
export interface Attribute {
  name: string;
  value: string | undefined;
}

export interface MediaDescription {
  /** `audio`, `video`, `application`, ... */
  kind: string;
  /** 0: the stream is refused or disabled. */
  port: number;
  /** `RTP/AVP`, `RTP/SAVP`, `UDP/TLS/RTP/SAVPF`, ... */
  protocol: string;
  /** Payload types for RTP. */
  formats: string[];
  connection: Connection | undefined;
  attributes: Attribute[];
}

const limits = { characters: 65_536, lines: 2048, media: 32, attributes: 512, formats: 128 };

const unknownOrigin: Origin = {
  username: '-',
  sessionId: '0',
  version: '0',
  addressType: 'IP4',
  address: '0.0.0.0',
};

/**
 * Reads a description leniently: any line ends, blank lines, NULs, a missing origin, name or time, lines of a level in
 * any order. What decides about media (`v=`, `c=`, `m=`) must be well formed.
 * @throws CallreelError SDP_INVALID with the line in `where`
 */
export function parseSessionDescription(text: string): SessionDescription {
  if (text.length > limits.characters) throw invalid(`longer than ${limits.characters} characters`);
  const lines = text.replaceAll('\0', '').split(/\r\n|\n|\r/);
  if (lines.length > limits.lines) throw invalid(`more than ${limits.lines} lines`);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw invalid('empty');
  if (lines[first]!.trim() !== 'v=0') throw invalid('it does not begin with v=0', lines[first], first);

  const session: SessionDescription = {
    origin: unknownOrigin,
    name: '-',
    connection: undefined,
    attributes: [],
    media: [],
  };
  for (let i = first + 1; i < lines.length; i++) readLine(session, lines[i]!.trim(), i);
  return session;
}

function readLine(session: SessionDescription, line: string, index: number): void {
  const level = session.media.at(-1) ?? session;
  const value = line.slice(2).trim();
  switch (line.slice(0, 2)) {
    case 'o=':
      session.origin = parseOrigin(value);
      break;
    case 's=':
      session.name = value || '-';
      break;
    case 'c=':
      level.connection = parseConnection(value) ?? fail('malformed connection', line, index);
      break;
    case 'a=':
      if (level.attributes.length === limits.attributes) throw invalid('too many attributes', line, index);
      level.attributes.push(parseAttribute(value));
      break;
    case 'm=':
      if (session.media.length === limits.media) throw invalid('too many media', line, index);
      session.media.push(parseMedia(value) ?? fail('malformed media', line, index));
      break;
  }
}

function parseOrigin(value: string): Origin {
  const [username, sessionId, version, , addressType, address] = value.split(/\s+/);
  return {
    username: username || '-',
    sessionId: sessionId ?? '0',
    version: version ?? '0',
    addressType: addressType ?? 'IP4',
    address: address ?? '0.0.0.0',
  };
}

/** RFC 8866 section 5.7: `IN IP4 224.2.1.1/127/3`. */
function parseConnection(value: string): Connection | undefined {
  const [networkType, addressType, addressWithTtl] = value.split(/\s+/);
  const address = addressWithTtl?.split('/')[0];
  if (networkType?.toUpperCase() !== 'IN' || !address) return undefined;
  const type = addressType?.toUpperCase();
  return type === 'IP4' || type === 'IP6' ? { addressType: type, address } : undefined;
}

function parseAttribute(value: string): Attribute {
  const colon = value.indexOf(':');
  if (colon < 0) return { name: value, value: undefined };
  return { name: value.slice(0, colon).trim(), value: value.slice(colon + 1).trim() };
}

/** RFC 8866 section 5.14: `audio 49170/2 RTP/AVP 0 8`. */
function parseMedia(value: string): MediaDescription | undefined {
  const [kind, portAndCount, protocol, ...formats] = value.split(/\s+/);
  const portText = portAndCount?.split('/')[0] ?? '';
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 65_536;
  if (!kind || !protocol || port > 65_535 || formats.length > limits.formats) return undefined;
  return { kind, port, protocol, formats, connection: undefined, attributes: [] };
}

/** @throws always */
function fail(message: string, line: string, index: number): never {
  throw invalid(message, line, index);
}

function invalid(message: string, line?: string, index = 0): CallreelError {
  const where = line === undefined ? undefined : `line ${index + 1}: ${redactKeys(line).slice(0, 100)}`;
  return new CallreelError(
    'SDP_INVALID',
    `session description: ${message}`,
    where === undefined ? {} : { where },
  );
}

/** Writes the lines in the order RFC 8866 section 5 asks for, ended by CRLF. */
export function serializeSessionDescription({
  origin,
  name,
  connection,
  attributes,
  media,
}: SessionDescription): string {
  const { username, sessionId, version, addressType, address } = origin;
  const lines = ['v=0', `o=${username} ${sessionId} ${version} IN ${addressType} ${address}`, `s=${name}`];
  lines.push(...connectionLine(connection), 't=0 0', ...attributes.map(attributeLine));
  for (const { kind, port, protocol, formats, ...level } of media)
    lines.push(
      `m=${[kind, port, protocol, ...formats].join(' ')}`,
      ...connectionLine(level.connection),
      ...level.attributes.map(attributeLine),
    );
  return `${lines.join('\r\n')}\r\n`;
}

function connectionLine(connection: Connection | undefined): string[] {
  return connection ? [`c=IN ${connection.addressType} ${connection.address}`] : [];
}

function attributeLine({ name, value }: Attribute): string {
  return value === undefined ? `a=${name}` : `a=${name}:${value}`;
}

/** The value of the level's first attribute of that name; empty for `a=name` alone, undefined without one. */
export function attributeValue(level: { attributes: Attribute[] }, name: string): string | undefined {
  const attribute = level.attributes.find((candidate) => candidate.name === name);
  return attribute && (attribute.value ?? '');
}
