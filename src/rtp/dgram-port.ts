import type { Socket } from 'node:dgram';
import { noRoom, type QueuedDatagram, type SendBatch } from './send-batch.ts';
import type { DatagramSink, TransportPort } from './transport.ts';

export interface DgramPortOwner {
  /** The port's user closed it: end it when what it committed is sent. */
  close(): void;
  /** The system has let go of the socket. */
  closed(): void;
}

const nobody: DatagramSink = { receive: () => undefined };

/** One bound socket; the transport that opened it reads `queued` and `closed` and ends it by `shut`. */
export class DgramPort implements TransportPort {
  readonly port: number;
  readonly socket: Socket;
  /** Nobody's once it is shut: objects that are kept for later datagrams may still know the port. */
  sink: DatagramSink;
  /** Received datagrams that wait for the tick. */
  queued = 0;
  closed = false;
  /** Number of the drain of the batch in which it sent last. */
  lastDrain = 0;
  readonly #batch: SendBatch<DgramPort>;
  readonly #owner: DgramPortOwner;
  #shut: Promise<void> | undefined;

  constructor(socket: Socket, sink: DatagramSink, batch: SendBatch<DgramPort>, owner: DgramPortOwner) {
    this.port = socket.address().port;
    this.socket = socket;
    this.sink = sink;
    this.#batch = batch;
    this.#owner = owner;
  }

  reserve(maxBytes: number): Uint8Array {
    return this.#batch.reserve(maxBytes);
  }

  commit(bytes: number, address: string, port: number): void {
    if (!this.closed) this.#batch.commit(this, bytes, address, port);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#owner.close();
  }

  /** Closes the socket; resolved when the system has let go of it. */
  shut(): Promise<void> {
    this.closed = true;
    this.sink = nobody;
    return (this.#shut ??= new Promise((resolve) => {
      this.socket.close(() => {
        this.#owner.closed();
        resolve();
      });
    }));
  }
}

/**
 * Of one socket with the kernel: 160 ms of a stream. What is later is of no use to the peer, and a socket that stands
 * still (a neighbour that answers no ARP) would take all memory there is for those of others.
 */
const maxWaitingPerSocket = 8;

/** Hands one datagram to the kernel; whatever goes wrong ends in its chunk's `done`. */
export function sendDatagram(
  { port, chunk, offset, bytes, address, remotePort }: QueuedDatagram<DgramPort>,
  drain: number,
  hasBacklog: boolean,
): void {
  // Otherwise nothing can wait in this socket.
  const mayWait = hasBacklog || port.lastDrain === drain;
  port.lastDrain = drain;
  try {
    if (mayWait && port.socket.getSendQueueCount() >= maxWaitingPerSocket) chunk.done(noRoom);
    else port.socket.send(chunk.bytes, offset, bytes, remotePort, address, chunk.done);
  } catch (error) {
    // A port number of 0 or a socket closed meanwhile: a refused send like any other.
    chunk.done(error instanceof Error ? error : new Error(String(error)));
  }
}
