import type * as NodeFfi from 'node:ffi';
import { getSystemErrorMap } from 'node:util';

/**
 * The system calls of the `ffi` driver, for Linux on x64 and arm64. Pointers are addresses of `ArrayBuffer`s, which a
 * pointer does not keep alive: whoever hands one out holds its buffer (see `PinnedBytes`).
 *
 * Node calls a function of at most three arguments without building an array of them, and straight from optimized code
 * as long as it is the only one of so many: a wrapper for each number of arguments is all there is, and it learns only
 * one callee. So `recvmsg`, called for each packet, is the only one of three; others of three are given a fourth, which
 * they do not look at (both calling conventions hold it in a register).
 */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: bigint, bytes: number): number;
  connect(fd: number, address: bigint, bytes: number): number;
  getsockname(fd: number, address: bigint, bytes: bigint): number;
  setsockopt(fd: number, level: number, option: number, value: bigint, bytes: number): number;
  getrlimit(resource: number, limit: bigint): number;
  close(fd: number): number;
  recvmsg(fd: number, message: bigint, flags: number): number;
  sendmsg(fd: number, message: bigint, flags: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: bigint): number;
  epoll_wait(epoll: number, events: bigint, maxEvents: number, timeoutMs: number): number;
  clock_gettime(clock: bigint, time: bigint): number;
  clock_nanosleep(clock: bigint, flags: bigint, until: bigint, left: bigint): number;
  inet_pton(family: number, text: string, address: bigint): number;
  inet_ntop(family: number, address: bigint, text: bigint, bytes: number): bigint;
  if_nametoindex(name: string): number;
  if_indextoname(index: number, name: bigint): bigint;
  mmap(address: bigint, bytes: bigint, protection: number, flags: number, fd: number, offset: bigint): bigint;
  munmap(address: bigint, bytes: bigint): number;
  /** As `syscall`, by four arguments and straight from optimized code; its result is 32 bits. */
  shortSyscall(number: bigint, ...four: [bigint, bigint, bigint, bigint]): number;
  /** What has no function of its own, by its number. */
  syscall(number: bigint, ...six: [bigint, bigint, bigint, bigint, bigint, bigint]): bigint;
  /** Of the last call that gave -1, asked for before any other. */
  errno(): number;
}

const signatures = {
  socket: { arguments: ['int32', 'int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
  connect: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
  getsockname: { arguments: ['int32', 'pointer', 'pointer', 'int32'], return: 'int32' },
  setsockopt: { arguments: ['int32', 'int32', 'int32', 'pointer', 'uint32'], return: 'int32' },
  getrlimit: { arguments: ['int32', 'pointer'], return: 'int32' },
  close: { arguments: ['int32'], return: 'int32' },
  // They return an ssize_t, of which the lower half is enough for a datagram and for -1.
  recvmsg: { arguments: ['int32', 'pointer', 'int32'], return: 'int32' },
  sendmsg: { arguments: ['int32', 'pointer', 'int32', 'int32'], return: 'int32' },
  epoll_create1: { arguments: ['int32'], return: 'int32' },
  epoll_ctl: { arguments: ['int32', 'int32', 'int32', 'pointer'], return: 'int32' },
  epoll_wait: { arguments: ['int32', 'pointer', 'int32', 'int32'], return: 'int32' },
  inet_pton: { arguments: ['int32', 'string', 'pointer', 'int32'], return: 'int32' },
  inet_ntop: { arguments: ['int32', 'pointer', 'pointer', 'uint32'], return: 'pointer' },
  if_nametoindex: { arguments: ['string'], return: 'uint32' },
  if_indextoname: { arguments: ['uint32', 'pointer'], return: 'pointer' },
  mmap: { arguments: ['pointer', 'uint64', 'int32', 'int32', 'int32', 'int64'], return: 'pointer' },
  munmap: { arguments: ['pointer', 'uint64'], return: 'int32' },
  syscall: { arguments: ['int64', 'int64', 'int64', 'int64', 'int64', 'int64', 'int64'], return: 'int64' },
  __errno_location: { arguments: [], return: 'pointer' },
} as const satisfies NodeFfi.FunctionDefinitions;

/**
 * Called each tick, or more often: numbers as pointers, and a fraction behind them; why, `node-ffi.ts` says.
 * Behind the four arguments of a system call the kernel finds a null pointer where it would look for a fifth.
 */
const shortSignatures = {
  clock_gettime: { arguments: ['pointer', 'pointer', 'float'], return: 'int32' },
  clock_nanosleep: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'float'], return: 'int32' },
  syscall: {
    arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'float'],
    return: 'int32',
  },
} as const satisfies NodeFfi.FunctionDefinitions;

export type FfiModule = typeof NodeFfi;

export interface OpenedLibc {
  ffi: FfiModule;
  libc: Libc;
}

/** One a thread: `errno` is the thread's own. Never closed, so no function outlives its library. */
let opened: OpenedLibc | string | undefined;

/** @returns why there is none, where there is none */
export function openLibc(): OpenedLibc | string {
  return (opened ??= tryOpen());
}

function tryOpen(): OpenedLibc | string {
  const { platform, arch } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64'))
    return `no driver for ${platform}-${arch}`;
  const ffi = process.getBuiltinModule('node:ffi') as FfiModule | undefined;
  if (!ffi) return 'this Node has no node:ffi';
  try {
    const { lib, functions } = ffi.dlopen(null, signatures);
    const short = ffi.dlopen(null, shortSignatures);
    const errnoPointer = functions.__errno_location();
    const libc: Libc & { libs: unknown } = {
      ...functions,
      clock_gettime: (clock, time) => short.functions.clock_gettime(clock, time, 0),
      clock_nanosleep: (clock, flags, until, left) =>
        short.functions.clock_nanosleep(clock, flags, until, left, 0),
      shortSyscall: (number, a, b, c, d) => short.functions.syscall(number, a, b, c, d, 0n, 0),
      socket: (family, type, protocol) => functions.socket(family, type, protocol, 0),
      bind: (fd, address, bytes) => functions.bind(fd, address, bytes, 0),
      connect: (fd, address, bytes) => functions.connect(fd, address, bytes, 0),
      getsockname: (fd, address, bytes) => functions.getsockname(fd, address, bytes, 0),
      sendmsg: (fd, message, flags) => functions.sendmsg(fd, message, flags, 0),
      inet_pton: (family, text, address) => functions.inet_pton(family, text, address, 0),
      libs: [lib, short.lib],
      errno: () => ffi.getInt32(errnoPointer, 0),
    };
    return { ffi, libc };
  } catch (error) {
    return `node:ffi is not to be used: ${error instanceof Error ? error.message : error}`;
  }
}

/** Memory for the kernel: outside of V8's heap, so that it never moves, and alive as long as this object. */
export class PinnedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly pointer: bigint;

  /** @param length a multiple of 8 */
  constructor(ffi: FfiModule, length: number) {
    const memory = new ArrayBuffer(length);
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.pointer = ffi.getRawPointer(memory);
  }

  /** Writes an address of 64 bits at a word's index. */
  point(word: number, to: bigint): void {
    this.words[word] = Number(to & 0xffff_ffffn);
    this.words[word + 1] = Number(to >> 32n);
  }
}

/** `EADDRINUSE`, say. */
export function errorName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}

/** Numbers of Linux, the same on x64 and arm64. */
export const linux = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_RCVBUF: 8,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_REUSEPORT: 15,
  SO_TIMESTAMPNS: 35,
  IPPROTO_IP: 0,
  IP_RECVORIGDSTADDR: 20,
  IPPROTO_RAW: 255,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  EPOLL_CLOEXEC: 0o2000000,
  EPOLL_CTL_ADD: 1,
  EPOLLIN: 1,
  CLOCK_REALTIME: 0n,
  CLOCK_MONOTONIC: 1n,
  TIMER_ABSTIME: 1n,
  RLIMIT_NOFILE: 7,
  EAGAIN: 11,
  ENOMEM: 12,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  ECANCELED: 125,
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_ANONYMOUS: 0x20,
  MAP_POPULATE: 0x8000,
} as const;
