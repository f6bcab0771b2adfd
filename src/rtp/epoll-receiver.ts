import { timestampControlBytes } from './arrival-times.ts';
import { type DatagramReceiver, type Handout, maxPerSocketAndTurn } from './datagram-receiver.ts';
import { Epoll } from './epoll.ts';
import type { FfiPort } from './ffi-port.ts';
import { errorName, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';
import { MessageHeader } from './message-header.ts';
import { maxDatagramBytes } from './send-batch.ts';
import { socketAddressBytes } from './socket-address.ts';

/** One epoll tells which sockets have something, and each is read once for every datagram. */
export class EpollReceiver implements DatagramReceiver {
  readonly #libc: Libc;
  readonly #epoll: Epoll;
  readonly #handout: Handout;
  readonly #message: MessageHeader;
  /** A view of the received bytes for each length that came. */
  readonly #views: Uint8Array[] = [];
  /** By the number of the socket. */
  readonly #ports: (FfiPort | undefined)[] = [];
  #sockets = 0;
  #ended = false;

  /** @throws Error where the system does not let us */
  constructor(opened: OpenedLibc, handout: Handout) {
    const { ffi, libc } = opened;
    this.#libc = libc;
    this.#handout = handout;
    this.#epoll = new Epoll(opened);
    this.#message = new MessageHeader(ffi, new PinnedBytes(ffi, maxDatagramBytes), timestampControlBytes);
    this.#message.setData(maxDatagramBytes);
  }

  add(port: FfiPort, fd: number): string | undefined {
    this.#epoll.makeRoom(this.#sockets + 1);
    const error = this.#epoll.add(fd);
    if (error !== undefined) return error;
    this.#sockets++;
    this.#ports[fd] = port;
    return undefined;
  }

  catchUp(port: FfiPort): void {
    // Beyond that two datagrams may change places: one port is not to hold up the others.
    for (let taken = 0; taken < maxPerSocketAndTurn; taken++)
      if (port.fd === -1 || !this.#take(port, port.fd)) break;
  }

  /** Asks again after each round until nobody has anything: that costs less than to find each socket empty. */
  receive(): void {
    for (let round = 0; round < maxPerSocketAndTurn && !this.#ended; round++) {
      const ready = this.#epoll.wait();
      let taken = 0;
      for (let i = 0; i < ready; i++) {
        const fd = this.#epoll.fdOf(i);
        const port = this.#ports[fd];
        if (port && this.#take(port, fd)) taken++;
      }
      if (taken === 0) return;
    }
  }

  wait(timeoutMs: number): void {
    this.#epoll.wait(timeoutMs);
  }

  closeSocket(fd: number, closed: () => void): void {
    if (this.#ports[fd]) this.#sockets--;
    this.#ports[fd] = undefined;
    this.#libc.close(fd);
    closed();
  }

  end(): void {
    this.#ended = true;
    this.#epoll.close();
  }

  /** @returns whether a datagram was there */
  #take(port: FfiPort, fd: number): boolean {
    const message = this.#message;
    message.nameBytes = socketAddressBytes;
    message.controlBytes = timestampControlBytes;
    const bytes = this.#libc.recvmsg(fd, message.pointer, linux.MSG_DONTWAIT);
    const { counters } = this.#handout;
    if (bytes < 0) {
      if (errorName(this.#libc.errno()) !== 'EAGAIN') counters.socketErrors++;
      return false;
    }
    if (bytes > maxDatagramBytes || (message.flags & linux.MSG_TRUNC) !== 0) counters.droppedDatagrams++;
    else {
      const { words, nameAt, nameBytes, controlAt, controlBytes } = message;
      const data = this.#views[bytes] ?? this.#view(bytes);
      const datagram = this.#handout.take(port, data, words, nameAt, nameBytes, controlAt, controlBytes);
      if (datagram) port.sink.receive(datagram);
    }
    return true;
  }

  #view(bytes: number): Uint8Array {
    return (this.#views[bytes] = this.#message.data.bytes.subarray(0, bytes));
  }
}
