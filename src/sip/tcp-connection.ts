import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import { StreamFramer } from './stream-framer.ts';
import type { Endpoint, Flow, MessageSink } from './transport.ts';

export const connectionLimits = {
  connectMs: 4_000,
  /** A new connection says something whole within this time, and never leaves a message unfinished for longer. */
  patienceMs: 32_000,
  /** Longer than most calls: the connection a call came by is the only way back to a phone behind a NAT. */
  idleMs: 2 * 3600_000,
  /** Bytes a peer may leave unread before the connection counts as dead. */
  unsentBytes: 1024 * 1024,
  keepAliveMs: 60_000,
  flushMs: 1_000,
} as const;

const pong = Buffer.from('\r\n');

/** One TCP connection, opened by either side: a flow that ends. */
export class TcpConnection implements Flow {
  readonly transport = 'tcp';
  readonly reliable = true;
  readonly remote: Endpoint;
  readonly local: { readonly host: string; readonly port: number };
  /** Called once when the connection is gone. */
  closed: () => void = () => {};
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #framer: StreamFramer;
  #watch: Timer;
  #lastBytesUs: number;
  #unfinishedSinceUs: number | undefined;
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
    this.#lastBytesUs = clock.monotonicUs();
    this.#framer = new StreamFramer({
      message: (bytes) => {
        this.#spoke = true;
        this.#unfinishedSinceUs = undefined;
        sink.receive(bytes, this);
      },
      ping: () => this.send(pong),
    });
    this.#watch = socket.connecting
      ? clock.after(connectionLimits.connectMs, () => this.destroy())
      : this.#checkLater();
    this.#listen();
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(bytes: Uint8Array, failed?: (error: Error) => void): void {
    if (this.#socket.writableLength > connectionLimits.unsentBytes) this.#socket.destroy();
    this.#socket.write(bytes, (error) => {
      if (error) failed?.(error);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Lets go what is already written, then closes. */
  close(): Promise<void> {
    const socket = this.#socket;
    if (socket.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const impatience = this.#clock.after(connectionLimits.flushMs, () => socket.destroy());
      socket.once('close', () => {
        impatience.cancel();
        resolve();
      });
      if (socket.connecting || socket.writableLength === 0) socket.destroy();
      else socket.destroySoon();
    });
  }

  #listen(): void {
    const socket = this.#socket;
    socket.setKeepAlive(true, connectionLimits.keepAliveMs);
    socket.on('connect', () => {
      this.#watch.cancel();
      this.#spoke = true;
      this.#watch = this.#checkLater();
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // The close event follows every error and tells the rest.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#watch.cancel();
      this.closed();
    });
  }

  #receive(chunk: Buffer): void {
    this.#lastBytesUs = this.#clock.monotonicUs();
    if (!this.#framer.push(chunk)) {
      // Not destroyed at once: the 400 that says why is still on its way.
      this.#spoke = false;
      this.#socket.end();
      return;
    }
    this.#unfinishedSinceUs = this.#framer.unfinished
      ? (this.#unfinishedSinceUs ?? this.#lastBytesUs)
      : undefined;
  }

  #checkLater(): Timer {
    const { patienceMs, idleMs } = connectionLimits;
    return this.#clock.after(patienceMs, () => {
      const nowUs = this.#clock.monotonicUs();
      const stuckMs = (nowUs - (this.#unfinishedSinceUs ?? nowUs)) / 1000;
      const quietMs = (nowUs - this.#lastBytesUs) / 1000;
      if (stuckMs >= patienceMs || quietMs >= idleMs || !this.#spoke) this.destroy();
      else this.#watch = this.#checkLater();
    });
  }
}
