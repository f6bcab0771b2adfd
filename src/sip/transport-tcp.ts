import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { localHost } from './local-host.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { Endpoint, Flow, MessageSink, Transport } from './transport.ts';

const maxConnections = 4096;

export interface TcpTransportOptions {
  host: string;
  port: number;
  advertisedHost: string | undefined;
  clock: Clock;
  sink: MessageSink;
  failed: (error: Error) => void;
}

/** SIP over TCP: framed connections, reused for responses and for requests to the same peer. */
export class TcpTransport implements Transport {
  readonly name = 'tcp';
  readonly host: string;
  port: number;
  readonly #options: TcpTransportOptions;
  readonly #server: Server;
  /** By `address port` of the peer. */
  readonly #connections = new Map<string, TcpConnection>();

  constructor(options: TcpTransportOptions) {
    this.#options = options;
    this.host = options.host;
    this.port = options.port;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** @throws the server's own error when it cannot listen */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port: this.port, host: this.host }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#options.failed);
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  flowTo(remote: Endpoint): Flow {
    const open = this.#connections.get(`${remote.address} ${remote.port}`);
    if (open?.open) return open;
    return this.#adopt(connect({ host: remote.address, port: remote.port, noDelay: true }), remote);
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (this.#connections.size >= maxConnections || !remoteAddress || !remotePort) {
      socket.destroy();
      return;
    }
    this.#adopt(socket, { transport: 'tcp', address: remoteAddress, port: remotePort });
  }

  #adopt(socket: Socket, remote: Endpoint): TcpConnection {
    const key = `${remote.address} ${remote.port}`;
    const { advertisedHost, clock, sink } = this.#options;
    const host = advertisedHost ?? localHost(this.host, remote.address);
    const connection = new TcpConnection(socket, remote, { host, port: this.port }, clock, sink);
    this.#connections.set(key, connection);
    connection.closed = () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    };
    return connection;
  }

  async close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    await stopped;
  }
}
