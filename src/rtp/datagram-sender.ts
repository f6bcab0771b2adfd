import { type FfiModule, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { dataAt, MessageHeader } from './message-header.ts';
import { maxDatagramBytes, overflowErrors } from './send-batch.ts';
import { firstFlow, frameBytes, type SteeredFlows } from './steered-flows.ts';
import type { ConnectedSends } from './transport.ts';

export interface SendCounters {
  sentPackets: number;
  failedSends: number;
  sendOverflows: number;
}

/** Where the datagrams of all ports of a transport go out, in their order. */
export interface DatagramSender extends ConnectedSends {
  /** What numbers from `firstFlow` on are; before any of them is used. */
  flows: SteeredFlows | undefined;
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

const payloadAt = dataAt(frameBytes);

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

/** A message with room for what stands before its bytes where it goes out by a raw socket. */
export class FramedMessage extends MessageHeader {
  readonly payload: Uint8Array;

  constructor(ffi: FfiModule) {
    super(ffi, new PinnedBytes(ffi, payloadAt + maxDatagramBytes), 0, frameBytes);
    this.payload = this.data.bytes.subarray(payloadAt);
  }

  /** @returns the socket that it is to be sent by */
  frame(flows: SteeredFlows, flow: number, dataBytes: number): number {
    const { data } = this;
    this.nameBytes = flows.aim(flow, this.words, this.nameAt);
    flows.frame(flow, data.words, data.bytes, (payloadAt - frameBytes) / 4, dataBytes);
    this.setData(dataBytes, true);
    return flows.socket;
  }
}

/** Sends each at once. */
export class DirectSender implements DatagramSender {
  readonly bytes: Uint8Array;
  readonly #libc: Libc;
  readonly #counters: SendCounters;
  readonly #message: FramedMessage;
  flows: SteeredFlows | undefined;

  constructor({ ffi, libc }: OpenedLibc, counters: SendCounters) {
    this.#libc = libc;
    this.#counters = counters;
    this.#message = new FramedMessage(ffi);
    this.bytes = this.#message.payload;
  }

  sendConnected(socket: number, dataBytes: number): void {
    if (socket < firstFlow) this.send(socket, noAddress, 0, dataBytes);
    else this.#send(this.#message.frame(this.flows!, socket, dataBytes));
  }

  send(fd: number, address: Uint32Array, addressBytes: number, dataBytes: number): void {
    const message = this.#message;
    message.aim(address, addressBytes);
    message.setData(dataBytes);
    this.#send(fd);
  }

  #send(fd: number): void {
    if (sendMessage(this.#libc, fd, this.#message)) this.#counters.sentPackets++;
    else countFailedSend(this.#counters, this.#libc.errno());
  }

  flush(): void {}

  close(): void {}
}
