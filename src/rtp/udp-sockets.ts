import { isIPv6 } from 'node:net';
import { errorName, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { judgeBindError } from './port-search.ts';
import { portOf, type SocketAddresses, socketAddressBytes } from './socket-address.ts';

/** The system cuts this down to net.core.rmem_max. */
const receiveBufferBytes = 1 << 20;

const everywhere = '::';

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

  constructor({ ffi, libc }: OpenedLibc, address: string, addresses: SocketAddresses) {
    this.#libc = libc;
    this.#address = address;
    this.#addresses = addresses;
    this.family = isIPv6(address) ? linux.AF_INET6 : linux.AF_INET;
    this.#name = new PinnedBytes(ffi, socketAddressBytes);
    this.#value = new PinnedBytes(ffi, 8);
  }

  /**
   * @param number 0: one that the system picks
   * @returns undefined when it is taken
   * @throws CallreelError as `judgeBindError`
   */
  bind(number: number): BoundSocket | undefined {
    const fd = this.#libc.socket(this.family, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
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

  close(fd: number): void {
    this.#libc.close(fd);
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
