import { timestampControlBytes } from './arrival-times.ts';
import { type Handout, maxPerSocketAndTurn } from './datagram-receiver.ts';
import type { ExpectedPackets } from './expected-packets.ts';
import type { FfiPort } from './ffi-port.ts';
import { linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { MessageHeader } from './message-header.ts';
import { maxDatagramBytes } from './send-batch.ts';
import { socketAddressBytes } from './socket-address.ts';

/** struct cmsghdr with a struct sockaddr_in, behind the time. */
export const destinationControlBytes = 32;

const controlBytes = timestampControlBytes + destinationControlBytes;

const portNumbers = 65_536;
/** `#came` has the turn above these bits, and how many came in it. */
const countBits = 10;
const mostCount = (1 << countBits) - 1;

/** Whose a datagram is that one socket has for many: by the number of the port it was sent to. */
export class SteeredPorts {
  readonly #ports: (FfiPort | undefined)[] = [];
  readonly #rows = new Int32Array(portNumbers);
  readonly #came = new Int32Array(portNumbers);
  #expected: ExpectedPackets | undefined;
  #turn = 0;
  readonly #flooded: (port: FfiPort) => void;

  /** @param flooded more came to it in one turn than may of a socket of its own */
  constructor(flooded: (port: FfiPort) => void) {
    this.#flooded = flooded;
  }

  add(port: FfiPort): void {
    this.#ports[port.port] = port;
    this.expects(port);
  }

  /** Of one `ExpectedPackets`, as those of a receiver. */
  expects({ port, expected, row }: FfiPort): void {
    this.#expected ??= expected;
    this.#rows[port] = expected === this.#expected ? row : 0;
  }

  delete(port: FfiPort): void {
    if (this.#ports[port.port] !== port) return;
    this.#ports[port.port] = undefined;
    this.#rows[port.port] = 0;
  }

  begin(): void {
    this.#turn = (this.#turn + 1) & 0xf_ffff;
  }

  port(number: number): FfiPort | undefined {
    return this.#ports[number];
  }

  /** @param expected whose rows are meant */
  row(number: number, expected: ExpectedPackets | undefined): number {
    return expected === this.#expected ? this.#rows[number]! : 0;
  }

  /** What waits in a socket that nothing comes to any more. */
  drain({ ffi, libc }: OpenedLibc, fd: number, handout: Handout): void {
    const message = new MessageHeader(ffi, new PinnedBytes(ffi, maxDatagramBytes), controlBytes);
    const { words, nameAt, controlAt } = message;
    message.setData(maxDatagramBytes);
    for (;;) {
      message.nameBytes = socketAddressBytes;
      message.controlBytes = controlBytes;
      const bytes = libc.recvmsg(fd, message.pointer, linux.MSG_DONTWAIT);
      if (bytes < 0) return;
      const port = this.#ports[portOfControl(words, controlAt, message.controlBytes)];
      if (!port || (message.flags & linux.MSG_TRUNC) !== 0) continue;
      const data = message.data.bytes.subarray(0, bytes);
      const { nameBytes, controlBytes: noted } = message;
      const datagram = handout.take(port, data, words, nameAt, nameBytes, controlAt, noted);
      if (datagram) port.sink.receive(datagram);
    }
  }

  came(number: number): void {
    const noted = this.#came[number]!;
    const count = noted >>> countBits === this.#turn ? (noted & mostCount) + 1 : 1;
    this.#came[number] = (this.#turn << countBits) | Math.min(count, mostCount);
    if (count !== maxPerSocketAndTurn) return;
    const port = this.#ports[number];
    if (port) this.#flooded(port);
  }
}

/**
 * @param words in which the control data is, from this index on and of so many bytes
 * @returns the port that a datagram was sent to (IP_RECVORIGDSTADDR); 0 where the kernel did not say
 */
export function portOfControl(words: Uint32Array, at: number, bytes: number): number {
  const from = at + timestampControlBytes / 4;
  const isNoted =
    bytes >= timestampControlBytes + destinationControlBytes &&
    words[from + 2] === linux.IPPROTO_IP &&
    words[from + 3] === linux.IP_RECVORIGDSTADDR;
  if (!isNoted) return 0;
  const word = words[from + 4]!;
  return ((word >>> 8) & 0xff00) | (word >>> 24);
}
