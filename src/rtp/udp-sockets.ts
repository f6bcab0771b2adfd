import { isIPv6 } from 'node:net';
import { errorName, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { judgeBindError } from './port-search.ts';
import { portOf, type SocketAddresses, socketAddressBytes } from './socket-address.ts';

/** The system cuts this down to net.core.rmem_max. */
const receiveBufferBytes = 1 << 20;

const socketType = linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
const everywhere = '::';

/** Of all descriptors there may be: sockets that only save time leave the rest to those that must be. */
const shareForConnected = 1 / 2;

export interface BoundSocket {
  fd: number;
  port: number;
}

/** Opens sockets on one address, which note when their datagrams arrive (SO_TIMESTAMPNS). */
export class UdpSockets {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly #libc: Libc;
  readonly #address: string;
  readonly #addresses: SocketAddresses;
  readonly #name: PinnedBytes;
  readonly #value: PinnedBytes;
  readonly #limit: PinnedBytes;

  constructor({ ffi, libc }: OpenedLibc, address: string, addresses: SocketAddresses) {
    this.#libc = libc;
    this.#address = address;
    this.#addresses = addresses;
    this.family = isIPv6(address) ? linux.AF_INET6 : linux.AF_INET;
    this.#name = new PinnedBytes(ffi, socketAddressBytes);
    this.#value = new PinnedBytes(ffi, 8);
    this.#limit = new PinnedBytes(ffi, 16);
  }

  /**
   * @param number 0: one that the system picks
   * @returns undefined when it is taken
   * @throws CallreelError as `judgeBindError`
   */
  bind(number: number): BoundSocket | undefined {
    const fd = this.#libc.socket(this.family, socketType, 0);
    if (fd === -1) return this.#judge();
    let port: number | undefined;
    try {
      this.#setOptions(fd);
      port = this.#bindTo(fd, number);
    } finally {
      if (port === undefined) this.#libc.close(fd);
    }
    return port === undefined ? undefined : { fd, port };
  }

  /**
   * A second socket on the port of one of ours, for one peer: connected to it, it needs no route and no address for each
   * datagram, and hears that peer; the first one hears all others. The port is shared (SO_REUSEPORT) for this moment
   * alone, so that nobody else gets hold of it.
   * @param peer a `sockaddr` of so many bytes
   * @returns undefined where there is none to be had
   */
  bindConnected({ fd, port }: BoundSocket, peer: Uint32Array, peerBytes: number): number | undefined {
    const beside = this.#libc.socket(this.family, socketType, 0);
    if (beside === -1) return undefined;
    let isConnected = false;
    if (beside < this.#mostDescriptors()) {
      this.#setOptions(beside);
      for (const one of [fd, beside]) this.#setOption(one, linux.SOL_SOCKET, linux.SO_REUSEPORT, 1);
      const bytes = this.#addresses.write(this.#name.words, this.family, this.#address, port);
      const isBound = this.#libc.bind(beside, this.#name.pointer, bytes) === 0;
      for (const one of [fd, beside]) this.#setOption(one, linux.SOL_SOCKET, linux.SO_REUSEPORT, 0);
      isConnected = isBound && this.connect(beside, peer, peerBytes);
    }
    if (isConnected) return beside;
    this.#libc.close(beside);
    return undefined;
  }

  /** What came from the former peer stays to be read. */
  connect(fd: number, peer: Uint32Array, peerBytes: number): boolean {
    this.#name.words.set(peer.subarray(0, socketAddressBytes / 4));
    return this.#libc.connect(fd, this.#name.pointer, peerBytes) === 0;
  }

  close(fd: number): void {
    this.#libc.close(fd);
  }

  #mostDescriptors(): number {
    const { pointer, words } = this.#limit;
    if (this.#libc.getrlimit(linux.RLIMIT_NOFILE, pointer) !== 0) return 0;
    return (words[1] === 0 ? words[0]! : Number.POSITIVE_INFINITY) * shareForConnected;
  }

  #judge(): undefined {
    return judgeBindError(errorName(this.#libc.errno()), this.#address);
  }

  #setOptions(fd: number): void {
    if (this.family === linux.AF_INET6)
      this.#setOption(fd, linux.IPPROTO_IPV6, linux.IPV6_V6ONLY, this.#address === everywhere ? 0 : 1);
    this.#setOption(fd, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1);
    // The size the system gives is enough for one stream; the larger one only bridges a stall.
    this.#setOption(fd, linux.SOL_SOCKET, linux.SO_RCVBUF, receiveBufferBytes);
  }

  /** One that is refused changes what may come, not that it comes. */
  #setOption(fd: number, level: number, option: number, value: number): void {
    this.#value.words[0] = value;
    this.#libc.setsockopt(fd, level, option, this.#value.pointer, 4);
  }

  /** @returns the number it is bound to */
  #bindTo(fd: number, number: number): number | undefined {
    const name = this.#name;
    const bytes = this.#addresses.write(name.words, this.family, this.#address, number);
    if (this.#libc.bind(fd, name.pointer, bytes) === -1) return this.#judge();
    if (number !== 0) return number;
    this.#value.words[0] = socketAddressBytes;
    if (this.#libc.getsockname(fd, name.pointer, this.#value.pointer) === -1) return this.#judge();
    return portOf(name.words);
  }
}
