import { isIP } from 'node:net';
import type { Connection, MediaDescription, SessionDescription } from './session-description.ts';

/** As seen by the side that writes it. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies Direction[];

function isDirection(name: string): name is Direction {
  return directions.includes(name);
}

function make(sends: boolean, receives: boolean): Direction {
  if (sends) return receives ? 'sendrecv' : 'sendonly';
  return receives ? 'recvonly' : 'inactive';
}

const sends = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'sendonly';
const receives = (direction: Direction): boolean => direction === 'sendrecv' || direction === 'recvonly';

/** The same stream seen from the other side. */
export function reverse(direction: Direction): Direction {
  return make(receives(direction), sends(direction));
}

/** What both allow. */
export function intersect(a: Direction, b: Direction): Direction {
  return make(sends(a) && sends(b), receives(a) && receives(b));
}

/**
 * The direction of a stream: its own attribute, else the session's, else both ways. A connection address of zeros
 * is the older way to say that the writer receives nothing (RFC 3264 section 8.4).
 */
export function mediaDirection(session: SessionDescription, media: MediaDescription): Direction {
  const stated =
    [...media.attributes, ...session.attributes].map(({ name }) => name).find(isDirection) ?? 'sendrecv';
  const connection = media.connection ?? session.connection;
  return connection && isUnspecified(connection.address) ? intersect(stated, 'sendonly') : stated;
}

/** Where the writer of the description wants to get the stream; undefined when it does not say so usably. */
export function mediaAddress(
  session: SessionDescription,
  media: MediaDescription,
): { address: string; port: number } | undefined {
  const connection: Connection | undefined = media.connection ?? session.connection;
  if (!connection || media.port === 0) return undefined;
  const { address } = connection;
  return isSendable(address) ? { address, port: media.port } : undefined;
}

/** A numeric address of one host. */
export function isSendable(address: string): boolean {
  return isIP(address) !== 0 && !isUnspecified(address) && !isMulticast(address);
}

/** Whether the writer asks for the stream at more than one place: nothing that a call does. */
export function isMulticastStream(session: SessionDescription, media: MediaDescription): boolean {
  const connection = media.connection ?? session.connection;
  return connection !== undefined && isIP(connection.address) !== 0 && isMulticast(connection.address);
}

function isUnspecified(address: string): boolean {
  const plain = unmapped(address);
  return plain === '0.0.0.0' || (isIP(plain) === 6 && /^[0:.]+$/.test(plain));
}

/** Multicast, and what lies above it: reserved, and the broadcast to all. */
function isMulticast(address: string): boolean {
  const plain = unmapped(address);
  if (isIP(plain) === 6) return /^ff/i.test(plain);
  const firstByte = Number(plain.split('.')[0]);
  return firstByte >= 224;
}

/** A socket of both families sends to `::ffff:192.0.2.1`, however it is written, by IPv4. */
function unmapped(address: string): string {
  const match = /^[0:]*:ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address);
  if (isIP(address) !== 6 || match === null) return address;
  if (match[1] !== undefined) return match[1];
  const [high, low] = [Number.parseInt(match[2]!, 16), Number.parseInt(match[3]!, 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
