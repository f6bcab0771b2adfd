import { createSocket, type Socket } from 'node:dgram';
import { isIpv6, plainAddress } from './ip-address.ts';
import type { Endpoint, Flow, Transport, TransportOptions } from './transport.ts';

/** Takes a burst of calls while the event loop is busy; the kernel caps it at `net.core.rmem_max`. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** SIP over UDP: one datagram, one message (RFC 3261 section 18). On `::` it speaks IPv4 as well. */
export class UdpTransport implements Transport {
  readonly name = 'udp';
  readonly connections = 0;
  readonly host: string;
  port: number;
  readonly #options: TransportOptions;
  readonly #socket: Socket;
  readonly #ipv6: boolean;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.host = options.host;
    this.port = options.port;
    this.#ipv6 = isIpv6(options.host);
    this.#socket = createSocket({
      type: this.#ipv6 ? 'udp6' : 'udp4',
      // Every address we send to is numeric: no thread pool, no waiting.
      lookup: (address, _options, callback) => callback(null, address, isIpv6(address) ? 6 : 4),
    });
  }

  /** @throws the socket's own error when it cannot be bound */
  start(): Promise<void> {
    const { sink, failed } = this.#options;
    this.#socket.on('message', (bytes, source) => {
      const address = plainAddress(source.address);
      sink.receive(bytes, this.flowTo({ transport: 'udp', address, port: source.port }));
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
    const flow: Flow = {
      transport: 'udp',
      reliable: false,
      remote,
      local: { host: this.#options.advertised(remote.address), port: this.port },
      open: true,
      send: (bytes, failed) => {
        this.#options.sink.sent?.(bytes, flow);
        this.#send(bytes, remote, failed);
      },
      sibling: (other) => this.flowTo(other),
    };
    return flow;
  }

  #send(bytes: Uint8Array, remote: Endpoint, failed?: (error: Error) => void): void {
    const address = this.#ipv6 && !isIpv6(remote.address) ? `::ffff:${remote.address}` : remote.address;
    try {
      this.#socket.send(bytes, remote.port, address, (error) => {
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
