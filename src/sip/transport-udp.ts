import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { localHost } from './local-host.ts';
import type { Endpoint, Flow, MessageSink, Transport } from './transport.ts';

/** Takes a burst of calls while the event loop is busy; the kernel caps it at `net.core.rmem_max`. */
const receiveBufferBytes = 4 * 1024 * 1024;

export interface UdpTransportOptions {
  host: string;
  port: number;
  advertisedHost: string | undefined;
  sink: MessageSink;
  /** Errors of the socket itself; those of one send go to its sender. */
  failed: (error: Error) => void;
}

/** SIP over UDP: one datagram, one message (RFC 3261 section 18). */
export class UdpTransport implements Transport {
  readonly name = 'udp';
  readonly connections = 0;
  readonly host: string;
  port: number;
  readonly #options: UdpTransportOptions;
  readonly #socket: Socket;
  #closed = false;

  constructor(options: UdpTransportOptions) {
    this.#options = options;
    this.host = options.host;
    this.port = options.port;
    this.#socket = createSocket({
      type: isIPv6(options.host) ? 'udp6' : 'udp4',
      // Every address we send to is numeric: no thread pool, no waiting.
      lookup: (address, _options, callback) => callback(null, address, isIPv6(address) ? 6 : 4),
    });
  }

  /** @throws the socket's own error when it cannot be bound */
  start(): Promise<void> {
    const { sink, failed } = this.#options;
    this.#socket.on('message', (bytes, source) => {
      sink.receive(bytes, this.flowTo({ transport: 'udp', address: source.address, port: source.port }));
    });
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ port: this.port, address: this.host }, () => {
        this.#socket.off('error', reject);
        this.#socket.on('error', failed);
        this.port = this.#socket.address().port;
        this.#socket.setRecvBufferSize(receiveBufferBytes);
        resolve();
      });
    });
  }

  flowTo(remote: Endpoint): Flow {
    const host = this.#options.advertisedHost ?? localHost(this.host, remote.address);
    return {
      transport: 'udp',
      reliable: false,
      remote,
      local: { host, port: this.port },
      open: true,
      send: (bytes, failed) => this.#send(bytes, remote, failed),
    };
  }

  #send(bytes: Uint8Array, remote: Endpoint, failed?: (error: Error) => void): void {
    try {
      this.#socket.send(bytes, remote.port, remote.address, (error) => {
        if (error) failed?.(error);
      });
    } catch (error) {
      // A closed socket throws at once; the caller hears of it later, as of any other failure.
      if (failed) queueMicrotask(() => failed(error as Error));
    }
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
