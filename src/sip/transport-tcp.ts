import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import { localHost } from './local-host.ts';
import { StreamFramer } from './stream-framer.ts';
import type { Endpoint, Flow, MessageSink, Transport } from './transport.ts';

export const tcpLimits = {
  connections: 4096,
  /** A new connection says something whole within this time, and never leaves a message unfinished for longer. */
  patienceMs: 32_000,
  /** Longer than most calls: the connection a call came by is the only way back to a phone behind a NAT. */
  idleMs: 2 * 3600_000,
  /** Bytes a peer may leave unread before the connection counts as dead. */
  unsentBytes: 1024 * 1024,
  keepAliveMs: 60_000,
} as const;

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
    if (this.#connections.size >= tcpLimits.connections || !remoteAddress || !remotePort) {
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
    for (const connection of this.#connections.values()) connection.destroy();
    await stopped;
  }
}

/** One connection, opened by either side. */
class TcpConnection implements Flow {
  readonly transport = 'tcp';
  readonly reliable = true;
  readonly remote: Endpoint;
  readonly local: { readonly host: string; readonly port: number };
  closed: () => void = () => {};
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #watch: { timer: Timer };
  #lastBytesUs: number;
  #lastMessageUs: number;
  #spoke = false;

  constructor(
    socket: Socket,
    remote: Endpoint,
    local: { host: string; port: number },
    clock: Clock,
    sink: MessageSink,
  ) {
    this.#socket = socket;
    this.remote = remote;
    this.local = local;
    this.#clock = clock;
    this.#lastBytesUs = this.#lastMessageUs = clock.monotonicUs();
    const framer = new StreamFramer({
      message: (bytes) => {
        this.#spoke = true;
        this.#lastMessageUs = clock.monotonicUs();
        sink.receive(bytes, this);
      },
      ping: () => {
        this.#lastMessageUs = clock.monotonicUs();
        this.send(Buffer.from('\r\n'));
      },
    });
    socket.setKeepAlive(true, tcpLimits.keepAliveMs);
    socket.on('data', (chunk) => {
      this.#lastBytesUs = clock.monotonicUs();
      // Ends, not destroys: the 400 that says why is still on its way.
      if (!framer.push(chunk)) socket.end();
    });
    // The close event follows every error and tells the rest.
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    this.#watch = { timer: this.#checkLater() };
    socket.on('close', () => {
      this.#watch.timer.cancel();
      this.closed();
    });
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(bytes: Uint8Array, failed?: (error: Error) => void): void {
    if (this.#socket.writableLength > tcpLimits.unsentBytes) this.#socket.destroy();
    this.#spoke = true;
    this.#socket.write(bytes, (error) => {
      if (error) failed?.(error);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #checkLater(): Timer {
    return this.#clock.after(tcpLimits.patienceMs, () => {
      const nowUs = this.#clock.monotonicUs();
      const unfinished = this.#lastBytesUs > this.#lastMessageUs;
      const waitedMs = (nowUs - this.#lastMessageUs) / 1000;
      if (waitedMs >= (this.#spoke && !unfinished ? tcpLimits.idleMs : tcpLimits.patienceMs)) this.destroy();
      else this.#watch.timer = this.#checkLater();
    });
  }
}
