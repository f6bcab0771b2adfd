import type { AddressInfo, Server, Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { plainAddress } from './ip-address.ts';
import { StreamConnection } from './stream-connection.ts';
import type { ConnectionGate, Endpoint, Flow, Transport, TransportOptions } from './transport.ts';

export interface StreamTransportOptions extends TransportOptions {
  clock: Clock;
  gate: ConnectionGate;
}

/** What TCP and TLS share: framed connections, reused for responses and for requests to the same peer. */
export abstract class StreamTransport implements Transport {
  abstract readonly name: 'tcp' | 'tls';
  readonly host: string;
  port: number;
  protected readonly options: StreamTransportOptions;
  /** By `address port` of the peer, with the name it was opened for. */
  readonly #connections = new Map<string, StreamConnection>();
  /** Accepted sockets, those in a handshake too. */
  readonly #accepted = new Set<Socket>();

  constructor(options: StreamTransportOptions) {
    this.options = options;
    this.host = options.host;
    this.port = options.port;
  }

  protected abstract readonly server: Server;
  protected abstract dial(remote: Endpoint): Socket;
  protected abstract readonly readyEvent: 'connect' | 'secureConnect';

  get connections(): number {
    return this.#connections.size;
  }

  /** Accepted ones whose handshake has not ended are among them. */
  get acceptedSockets(): number {
    return this.#accepted.size;
  }

  /** @throws the server's own error when it cannot listen */
  start(): Promise<void> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.port, host: this.host }, () => {
        server.off('error', reject);
        server.on('error', this.options.failed);
        this.port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  flowTo(remote: Endpoint): Flow {
    const known = this.#find(remote);
    if (known !== undefined) return known;
    return this.#adopt(this.dial(remote), remote, this.readyEvent);
  }

  /** A fresh socket. @returns false when it is one too many; it is closed then */
  protected admit(socket: Socket): boolean {
    const { gate } = this.options;
    const { remoteAddress } = socket;
    const address = plainAddress(remoteAddress ?? '');
    if (remoteAddress === undefined || !gate.opened(address)) {
      socket.destroy();
      return false;
    }
    this.#accepted.add(socket);
    socket.once('close', () => {
      this.#accepted.delete(socket);
      gate.closed(address);
    });
    return true;
  }

  /** An accepted socket that can be used. */
  protected established(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (!remoteAddress || !remotePort) {
      socket.destroy();
      return;
    }
    this.#adopt(socket, { transport: this.name, address: plainAddress(remoteAddress), port: remotePort });
  }

  /** Whoever asks for no name takes any connection to that address; a name wants one that was opened for it. */
  #find(remote: Endpoint): StreamConnection | undefined {
    const exact = this.#connections.get(keyOf(remote));
    if (exact?.open) return exact;
    if (remote.serverName !== undefined || this.name === 'tcp') return undefined;
    const prefix = `${remote.address} ${remote.port} `;
    for (const [key, connection] of this.#connections)
      if (key.startsWith(prefix) && connection.open) return connection;
    return undefined;
  }

  #adopt(socket: Socket, remote: Endpoint, ready?: 'connect' | 'secureConnect'): StreamConnection {
    const key = keyOf(remote);
    const { advertised, clock, sink } = this.options;
    const local = { host: advertised(remote.address), port: this.port };
    const parties = { remote, local, ours: ready !== undefined };
    const connection = new StreamConnection(socket, parties, clock, sink, ready);
    this.#connections.set(key, connection);
    connection.closed = () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    };
    return connection;
  }

  async close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    for (const socket of this.#accepted) socket.destroy();
    await stopped;
  }
}

function keyOf({ address, port, serverName = '', verify = true }: Endpoint): string {
  return `${address} ${port} ${serverName}${verify ? '' : ' unverified'}`;
}
