import { linux, type OpenedLibc } from './libc.ts';
import { ipv4Bytes } from './socket-address.ts';

/** IPv4 and UDP (RFC 791 section 3.1, RFC 768). */
export const frameBytes = 28;
/** What a flow is called where others have the number of a connected socket. */
export const firstFlow = 1 << 24;

/** Of a row, in words of 32 bits as they lie in a packet: who sends, who is sent to, both ports, the sum of all that. */
const rowWords = 4;
const source = 0;
const destination = 1;
const ports = 2;
const sum = 3;

const ipv4 = 0x45;
const udp = 17;
/** Never in parts, as the kernel says it of UDP. */
const whole = 0x0040 << 16;

/**
 * Packets of many ports that go out by one raw socket: what stands before the bytes of each, by a row for each flow. None
 * of hundreds of sockets, which are out of the caches by their next packet, has then to be looked at.
 */
export class SteeredFlows {
  /** The raw socket. */
  readonly socket: number;
  readonly #ttl: number;
  #rows = new Uint32Array(64 * rowWords);
  #count = 0;
  readonly #free: number[] = [];

  constructor(socket: number, ttl: number) {
    this.socket = socket;
    this.#ttl = ttl;
  }

  /**
   * @param from and @param to IPv4 addresses as they lie in a packet
   * @returns its number
   */
  open(from: number, fromPort: number, to: number, toPort: number): number {
    const flow = this.#free.pop() ?? this.#count++;
    const at = flow * rowWords;
    if (at >= this.#rows.length) {
      const rows = new Uint32Array(2 * this.#rows.length);
      rows.set(this.#rows);
      this.#rows = rows;
    }
    const rows = this.#rows;
    rows[at + source] = from;
    rows[at + destination] = to;
    rows[at + ports] = swapped(fromPort) | (swapped(toPort) << 16);
    rows[at + sum] = halves(from) + halves(to) + halves(rows[at + ports]!) + swapped(udp);
    return firstFlow + flow;
  }

  close(flow: number): void {
    this.#free.push(flow - firstFlow);
  }

  /** Whom it goes to, as a `sockaddr` of 16 bytes: a raw socket takes the way from there, and the rest from the frame. */
  aim(flow: number, into: Uint32Array, at: number): number {
    const row = (flow - firstFlow) * rowWords;
    into[at] = linux.AF_INET;
    into[at + 1] = this.#rows[row + destination]!;
    into[at + 2] = into[at + 3] = 0;
    return ipv4Bytes;
  }

  /**
   * Writes what stands before the bytes.
   * @param at word of the frame's beginning; its bytes lie behind it
   */
  frame(flow: number, words: Uint32Array, bytes: Uint8Array, at: number, dataBytes: number): void {
    const rows = this.#rows;
    const row = (flow - firstFlow) * rowWords;
    const length = swapped(8 + dataBytes);
    const dataAt = at + frameBytes / 4;
    const end = dataAt + ((dataBytes + 3) >> 2);
    for (let rest = dataAt * 4 + dataBytes; rest < end * 4; rest++) bytes[rest] = 0;
    let total = rows[row + sum]! + 2 * length;
    for (let i = dataAt; i < end; i++) {
      const word = words[i]!;
      total += (word & 0xffff) + (word >>> 16);
    }
    total = (total & 0xffff) + (total >>> 16);
    total = (total & 0xffff) + (total >>> 16);
    // 0 would say that there is none.
    const check = ~total & 0xffff || 0xffff;
    words[at] = ipv4 | (swapped(frameBytes + dataBytes) << 16);
    words[at + 1] = whole;
    words[at + 2] = this.#ttl | (udp << 8);
    words[at + 3] = rows[row + source]!;
    words[at + 4] = rows[row + destination]!;
    words[at + 5] = rows[row + ports]!;
    words[at + 6] = length | (check << 16);
  }
}

/** Of 16 bits, from and to the network's order. @returns */
function swapped(half: number): number {
  return ((half & 0xff) << 8) | (half >>> 8);
}

function halves(word: number): number {
  return (word & 0xffff) + (word >>> 16);
}

/** @returns a raw socket that is given whole packets; -1 where the system does not let us */
export function openRawSocket({ libc }: OpenedLibc): number {
  return libc.socket(
    linux.AF_INET,
    linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC,
    linux.IPPROTO_RAW,
  );
}
