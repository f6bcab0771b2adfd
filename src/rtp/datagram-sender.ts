import { type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { MessageHeader } from './message-header.ts';
import { maxDatagramBytes, overflowErrors } from './send-batch.ts';
import type { ConnectedSends } from './transport.ts';

export interface SendCounters {
  sentPackets: number;
  failedSends: number;
  sendOverflows: number;
}

/** Where the datagrams of all ports of a transport go out, in their order. */
export interface DatagramSender extends ConnectedSends {
  /** Where the next datagram is to be written, at most `maxDatagramBytes`. */
  readonly bytes: Uint8Array;
  /**
   * Takes the first of `bytes` to be sent by this socket.
   * @param address a `sockaddr` of so many bytes; none for a socket that is connected
   */
  send(fd: number, address: Uint32Array, addressBytes: number, dataBytes: number): void;
  /** Afterwards everything was sent, or refused. */
  flush(): void;
  /** Afterwards it is of no use. */
  close(): void;
}

/** Of a socket that is connected. */
export const noAddress = new Uint32Array(0);

/** A full buffer is no reason to wait: what is late is of no use to the peer. */
export const sendFlags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;

/**
 * A connected socket tells by its next send that an earlier datagram was refused (ICMP), and has then sent nothing.
 * @returns whether it was sent
 */
export function sendMessage(libc: Libc, fd: number, message: MessageHeader): boolean {
  if (libc.sendmsg(fd, message.pointer, sendFlags) >= 0) return true;
  return libc.errno() === linux.ECONNREFUSED && libc.sendmsg(fd, message.pointer, sendFlags) >= 0;
}

const overflows: readonly number[] = overflowErrors.map((name) => linux[name]);

/** @param errno why it was not sent */
export function countFailedSend(counters: SendCounters, errno: number): void {
  counters.failedSends++;
  if (overflows.includes(errno)) counters.sendOverflows++;
}

/** Sends each at once. */
export class DirectSender implements DatagramSender {
  readonly bytes: Uint8Array;
  readonly #libc: Libc;
  readonly #counters: SendCounters;
  readonly #message: MessageHeader;

  constructor({ ffi, libc }: OpenedLibc, counters: SendCounters) {
    this.#libc = libc;
    this.#counters = counters;
    this.#message = new MessageHeader(ffi, new PinnedBytes(ffi, maxDatagramBytes));
    this.bytes = this.#message.data.bytes;
  }

  sendConnected(socket: number, dataBytes: number): void {
    this.send(socket, noAddress, 0, dataBytes);
  }

  send(fd: number, address: Uint32Array, addressBytes: number, dataBytes: number): void {
    const message = this.#message;
    message.aim(address, addressBytes);
    message.dataBytes = dataBytes;
    if (sendMessage(this.#libc, fd, message)) this.#counters.sentPackets++;
    else countFailedSend(this.#counters, this.#libc.errno());
  }

  flush(): void {}

  close(): void {}
}
