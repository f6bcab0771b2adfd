import { closeSync, openSync, readFileSync } from 'node:fs';
import { Bpf, helper, instruction, lookUpSocket, mapType } from './bpf.ts';
import type { FfiPort } from './ffi-port.ts';
import { errorName, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { ipv4Bytes, portOf, type SocketAddresses, socketAddressBytes } from './socket-address.ts';
import { openRawSocket, SteeredFlows } from './steered-flows.ts';

/** As many ports as there are. */
const mostFlows = 65_536;
/** Of what comes, over a second of 1,000 streams. */
const bufferBytes = 64 << 20;
const usualTtl = 64;

/** struct bpf_sk_lookup (linux/bpf.h), its offsets; addresses and the remote port in the network's order. */
const lookup = {
  family: 8,
  protocol: 12,
  remoteAddress: 16,
  remotePort: 36,
  localAddress: 40,
  localPort: 60,
} as const;
const keyBytes = 12;
const udp = 17;

/**
 * What steady peers send to our ports is received by one socket: before the kernel looks for the socket of a datagram, a
 * program of ours looks whether its source and its port are among those (sk_lookup, Linux 5.9). Everybody else's comes to
 * the port's own socket, so who floods a port fills that one's alone. Sends to these peers go out by one raw socket. For
 * IPv4, and one address that the ports are bound to.
 */
export class Steering {
  readonly socket: number;
  readonly flows: SteeredFlows;
  readonly #opened: OpenedLibc;
  readonly #bpf: Bpf;
  readonly #address: number;
  readonly #peers: number;
  /** Closed at last, the link first. */
  readonly #descriptors: number[];
  /** Of each flow: what the program finds it by. */
  readonly #keys = new Map<number, number[]>();

  private constructor(
    opened: OpenedLibc,
    made: { bpf: Bpf; socket: number; raw: number; peers: number; address: number; descriptors: number[] },
  ) {
    this.#opened = opened;
    this.#bpf = made.bpf;
    this.socket = made.socket;
    this.#peers = made.peers;
    this.#address = made.address;
    this.#descriptors = made.descriptors;
    this.flows = new SteeredFlows(made.raw, readTtl());
  }

  /** @returns why there is none */
  static open(opened: OpenedLibc, address: string, addresses: SocketAddresses): Steering | string {
    const { libc } = opened;
    const name = new PinnedBytes(opened.ffi, socketAddressBytes);
    const isOne = addresses.write(name.words, linux.AF_INET, address, 0) === ipv4Bytes && name.words[1] !== 0;
    if (!isOne) return 'ports are not bound to one IPv4 address';
    const descriptors: number[] = [];
    const keep = (fd: number, what: string): number => {
      if (fd === -1) throw new Error(`${what}: ${errorName(libc.errno())}`);
      descriptors.push(fd);
      return fd;
    };
    try {
      const type = linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
      const raw = keep(openRawSocket(opened), 'a raw socket');
      const socket = keep(libc.socket(linux.AF_INET, type, 0), 'a socket');
      setOptions(opened, socket, [
        [linux.SOL_SOCKET, linux.SO_TIMESTAMPNS, 1],
        [linux.SOL_SOCKET, linux.SO_RCVBUFFORCE, bufferBytes],
        [linux.IPPROTO_IP, linux.IP_RECVORIGDSTADDR, 1],
      ]);
      // What waits for a neighbour that answers no ARP, 208 KiB of each by default, is to hold up nobody else.
      setOptions(opened, raw, [[linux.SOL_SOCKET, linux.SO_SNDBUFFORCE, bufferBytes]]);
      if (libc.bind(socket, name.pointer, ipv4Bytes) !== 0)
        throw new Error(`bind: ${errorName(libc.errno())}`);
      const bpf = new Bpf(opened);
      const sockets = keep(bpf.createMap(mapType.sockmap, 4, 4, 1), '');
      const peers = keep(bpf.createMap(mapType.hash, keyBytes, 4, mostFlows), '');
      if (!bpf.set(sockets, [0], socket)) throw new Error(`bpf, a socket: ${errorName(libc.errno())}`);
      const local = name.words[1]!;
      const instructions = programOf(local, peers, sockets);
      const program = keep(
        bpf.loadProgram(instructions, lookUpSocket.programType, lookUpSocket.attachType),
        '',
      );
      const network = openSync('/proc/thread-self/ns/net', 'r');
      try {
        descriptors.unshift(bpf.attach(program, network, lookUpSocket.attachType));
      } finally {
        closeSync(network);
      }
      return new Steering(opened, { bpf, socket, raw, peers, address: local, descriptors });
    } catch (error) {
      for (const fd of descriptors) libc.close(fd);
      return error instanceof Error ? error.message : String(error);
    }
  }

  /**
   * From now on what comes from the port's destination is received by `socket`.
   * @returns its flow; undefined where it has no place
   */
  steer({ port, destination, destinationBytes }: FfiPort): number | undefined {
    if (destinationBytes !== ipv4Bytes) return undefined;
    const remotePort = portOf(destination);
    const to = destination[1]!;
    const key = [to, ((remotePort & 0xff) << 8) | (remotePort >>> 8), port];
    if (!this.#bpf.set(this.#peers, key, 1)) return undefined;
    const flow = this.flows.open(this.#address, port, to, remotePort);
    this.#keys.set(flow, key);
    return flow;
  }

  /** From now on it comes to the port's own socket; what came before is still to be had. */
  release(flow: number): void {
    const key = this.#keys.get(flow);
    if (!key) return;
    this.#keys.delete(flow);
    this.#bpf.delete(this.#peers, key);
    this.flows.close(flow);
  }

  /** From now on everything comes to the ports' own sockets. */
  detach(): void {
    const [link] = this.#descriptors.splice(0, 1);
    if (link !== undefined) this.#opened.libc.close(link);
    this.#keys.clear();
  }

  close(): void {
    for (const fd of this.#descriptors.splice(0)) this.#opened.libc.close(fd);
    this.#keys.clear();
  }
}

/** @throws Error where one is refused */
function setOptions(
  { ffi, libc }: OpenedLibc,
  socket: number,
  options: readonly (readonly [level: number, option: number, value: number])[],
): void {
  const value = new PinnedBytes(ffi, 8);
  for (const [level, option, number] of options) {
    value.words[0] = number;
    if (libc.setsockopt(socket, level, option, value.pointer, 4) !== 0)
      throw new Error(`setsockopt ${option}: ${errorName(libc.errno())}`);
  }
}

/** r6 is the lookup, r10 the end of the stack; what is not ours is left to the kernel (SK_PASS without a socket). */
function programOf(localAddress: number, peers: number, sockets: number): number[] {
  const { copy, set, add, call, loadMap, loadWord, loadHalf, storeWord, storeZero, skipIfZero, skipUnless } =
    instruction;
  const find = [
    ...[...loadMap(1, peers), ...copy(2, 10), ...add(2, -16), ...call(helper.lookUpElement)],
    ...skipIfZero(0, 14),
    ...[...storeZero(10, -20), ...loadMap(1, sockets), ...copy(2, 10), ...add(2, -20)],
    ...[...call(helper.lookUpElement), ...skipIfZero(0, 7)],
    ...[...copy(7, 0), ...copy(1, 6), ...copy(2, 7), ...set(3, 0), ...call(helper.assignSocket)],
    ...[...copy(1, 7), ...call(helper.releaseSocket)],
  ];
  const key = [
    ...[...loadWord(2, 6, lookup.remoteAddress), ...storeWord(10, -16, 2)],
    ...[...loadHalf(2, 6, lookup.remotePort), ...storeWord(10, -12, 2)],
    ...[...loadWord(2, 6, lookup.localPort), ...storeWord(10, -8, 2)],
  ];
  const toEnd = (find.length + key.length) / 2;
  return [
    ...copy(6, 1),
    ...[...loadWord(2, 6, lookup.protocol), ...skipUnless(2, udp, toEnd + 4)],
    ...[...loadWord(2, 6, lookup.family), ...skipUnless(2, linux.AF_INET, toEnd + 2)],
    ...[...loadWord(2, 6, lookup.localAddress), ...skipUnless(2, localAddress | 0, toEnd)],
    ...[...key, ...find],
    ...[...set(0, 1), ...instruction.exit()],
  ];
}

function readTtl(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_default_ttl', 'latin1')) || usualTtl;
  } catch {
    return usualTtl;
  }
}
