import { isIPv4, isIPv6 } from 'node:net';
import { type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';

/** struct sockaddr_in: family, port, address. */
export const ipv4Bytes = 16;
/** struct sockaddr_in6: family, port, flow, address, scope. */
export const ipv6Bytes = 28;
/** Room for either. */
export const socketAddressBytes = 32;

const addressOffset = 8;
const scopeWord = 6;
/** `::ffff:0:0/96`, IPv4 as a socket of both families has it (RFC 4291 section 2.5.5.2), its third word as it lies. */
const mappedWord = 0xffff0000;
const textBytes = 64;

/** Socket addresses as the kernel has them, to text and back; as `node:dgram` writes them, with the zone of a link. */
export class SocketAddresses {
  readonly #libc: Libc;
  readonly #text: PinnedBytes;
  readonly #address: PinnedBytes;

  constructor({ ffi, libc }: OpenedLibc) {
    this.#libc = libc;
    this.#text = new PinnedBytes(ffi, textBytes);
    this.#address = new PinnedBytes(ffi, 16);
  }

  /**
   * @param into `socketAddressBytes` of a sockaddr
   * @returns how many count; 0 where a socket of this family can not reach the address, or it is a name
   */
  write(into: Uint32Array, family: number, address: string, port: number): number {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, socketAddressBytes).fill(0);
    bytes[0] = family;
    bytes[2] = port >> 8;
    bytes[3] = port;
    if (!(port >= 0 && port <= 65_535)) return 0;
    if (family === linux.AF_INET) return isIPv4(address) && this.#put(bytes, 4, 4, address) ? ipv4Bytes : 0;
    if (isIPv4(address)) return this.#put(bytes, addressOffset, 16, `::ffff:${address}`) ? ipv6Bytes : 0;
    const [literal = '', zone] = address.split('%');
    if (!isIPv6(literal) || !this.#put(bytes, addressOffset, 16, literal)) return 0;
    if (zone !== undefined) into[scopeWord] = this.#zoneIndex(zone);
    return ipv6Bytes;
  }

  /**
   * The address in a `sockaddr` of either family; IPv4 that a socket of both families got is IPv4.
   * @param words of the sockaddr, from its first on
   * @returns '' for what is none
   */
  read(words: Uint32Array, bytes: number): string {
    const family = words[0]! & 0xffff;
    if (family === linux.AF_INET && bytes === ipv4Bytes) return dotted(words[1]!);
    if (family !== linux.AF_INET6 || bytes !== ipv6Bytes) return '';
    if (words[2] === 0 && words[3] === 0 && words[4] === mappedWord) return dotted(words[5]!);
    this.#address.words.set(words.subarray(2, 6));
    const text = this.#text;
    if (this.#libc.inet_ntop(linux.AF_INET6, this.#address.pointer, text.pointer, textBytes) === 0n)
      return '';
    const address = this.#readText();
    const scope = words[scopeWord]!;
    return scope !== 0 && isLinkLocal(words) ? `${address}%${this.#zoneName(scope)}` : address;
  }

  #put(bytes: Uint8Array, offset: number, length: number, literal: string): boolean {
    const family = length === 4 ? linux.AF_INET : linux.AF_INET6;
    if (this.#libc.inet_pton(family, literal, this.#address.pointer) !== 1) return false;
    bytes.set(this.#address.bytes.subarray(0, length), offset);
    return true;
  }

  #zoneIndex(zone: string): number {
    return /^\d+$/.test(zone) ? Number(zone) >>> 0 : this.#libc.if_nametoindex(zone);
  }

  #zoneName(index: number): string {
    return this.#libc.if_indextoname(index, this.#text.pointer) === 0n ? String(index) : this.#readText();
  }

  #readText(): string {
    const { bytes } = this.#text;
    const end = bytes.indexOf(0);
    return Buffer.from(bytes.buffer, 0, end === -1 ? textBytes : end).toString('latin1');
  }
}

function dotted(word: number): string {
  return `${word & 0xff}.${(word >>> 8) & 0xff}.${(word >>> 16) & 0xff}.${word >>> 24}`;
}

/** fe80::/10 */
function isLinkLocal(words: Uint32Array): boolean {
  return (words[2]! & 0xc0ff) === 0x80fe;
}

/** The port in a `sockaddr`, which is in network order. */
export function portOf(words: Uint32Array): number {
  const word = words[0]!;
  return ((word >>> 8) & 0xff00) | (word >>> 24);
}
