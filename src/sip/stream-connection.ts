import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import { StreamFramer } from './stream-framer.ts';
import type { Endpoint, Flow, MessageSink } from './transport.ts';

export const connectionLimits = {
  /** For a connection of ours, a TLS handshake included. */
  connectMs: 4_000,
  /** A new connection says something whole within this time, and never leaves a message unfinished for longer. */
  patienceMs: 32_000,
  /** Longer than most calls: the connection a call came by is the only way back to a phone behind a NAT. */
  idleMs: 2 * 3600_000,
  /** Bytes a peer may leave unread before the connection counts as dead. */
  unsentBytes: 1024 * 1024,
  keepAliveMs: 60_000,
  flushMs: 1_000,
  /** RFC 5626 section 4.4.1: between these a ping leaves on a connection of ours ... */
  pingMinMs: 95_000,
  pingMaxMs: 120_000,
  /** ... and its pong is awaited for so long, if the peer is known to send any. */
  pongMs: 10_000,
} as const;

const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');

export interface StreamParties {
  readonly remote: Endpoint;
  readonly local: { readonly host: string; readonly port: number };
  /** Who keeps it alive: we, where we opened it. */
  readonly ours: boolean;
}

/** One TCP or TLS connection, opened by either side: a flow that ends. */
export class StreamConnection implements Flow {
  readonly transport: Endpoint['transport'];
  readonly reliable = true;
  readonly remote: Endpoint;
  readonly local: { readonly host: string; readonly port: number };
  /** Called once when the connection is gone. */
  closed: () => void = () => {};
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #sink: MessageSink;
  readonly #framer: StreamFramer;
  readonly #ours: boolean;
  #watch: Timer;
  #pinger: Timer | undefined;
  #lastUseUs: number;
  #unfinishedSinceUs: number | undefined;
  #spoke = false;
  #ponged = false;

  /** @param ready the event by which `socket` says that it can be used, where it cannot yet */
  constructor(
    socket: Socket,
    parties: StreamParties,
    clock: Clock,
    sink: MessageSink,
    ready?: 'connect' | 'secureConnect',
  ) {
    this.#socket = socket;
    this.transport = parties.remote.transport;
    this.remote = parties.remote;
    this.local = parties.local;
    this.#ours = parties.ours;
    this.#clock = clock;
    this.#sink = sink;
    this.#lastUseUs = clock.monotonicUs();
    this.#framer = new StreamFramer({
      message: (bytes) => {
        this.#spoke = true;
        this.#unfinishedSinceUs = undefined;
        sink.receive(bytes, this);
      },
      ping: () => this.#write(pong),
      pong: () => this.#receivePong(),
    });
    this.#watch =
      ready === undefined
        ? this.#checkLater()
        : clock.after(connectionLimits.connectMs, () => this.#socket.destroy(new Error('connect timed out')));
    this.#listen(ready);
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(bytes: Uint8Array, failed?: (error: Error) => void): void {
    this.#lastUseUs = this.#clock.monotonicUs();
    this.#sink.sent?.(bytes, this);
    this.#write(bytes, failed);
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

  #write(bytes: Uint8Array, failed?: (error: Error) => void): void {
    if (this.#socket.writableLength > connectionLimits.unsentBytes) this.#socket.destroy();
    this.#socket.write(bytes, (error) => {
      if (error) failed?.(error);
    });
  }

  #listen(ready: 'connect' | 'secureConnect' | undefined): void {
    const socket = this.#socket;
    socket.setKeepAlive(true, connectionLimits.keepAliveMs);
    if (ready !== undefined)
      socket.on(ready, () => {
        this.#watch.cancel();
        this.#spoke = true;
        this.#watch = this.#checkLater();
        this.#pingLater();
      });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // The close event follows every error and tells the rest.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#watch.cancel();
      this.#pinger?.cancel();
      this.closed();
    });
  }

  #receive(chunk: Buffer): void {
    const nowUs = this.#clock.monotonicUs();
    // What answers our own pings is no sign of use.
    if (chunk.length > pong.length) this.#lastUseUs = nowUs;
    if (!this.#framer.push(chunk)) {
      // Not destroyed at once: the 400 that says why is still on its way.
      this.#spoke = false;
      this.#socket.end();
      return;
    }
    this.#unfinishedSinceUs = this.#framer.unfinished ? (this.#unfinishedSinceUs ?? nowUs) : undefined;
  }

  #pingLater(): void {
    if (!this.#ours) return;
    const { pingMinMs, pingMaxMs, pongMs } = connectionLimits;
    this.#pinger = this.#clock.after(randomInt(pingMinMs, pingMaxMs), () => {
      this.#framer.expectPong();
      this.#write(ping);
      if (this.#ponged) this.#pinger = this.#clock.after(pongMs, () => this.destroy());
      else this.#pingLater();
    });
  }

  #receivePong(): void {
    this.#ponged = true;
    this.#pinger?.cancel();
    this.#pingLater();
  }

  #checkLater(): Timer {
    const { patienceMs, idleMs } = connectionLimits;
    return this.#clock.after(patienceMs, () => {
      const nowUs = this.#clock.monotonicUs();
      const stuckMs = (nowUs - (this.#unfinishedSinceUs ?? nowUs)) / 1000;
      const quietMs = (nowUs - this.#lastUseUs) / 1000;
      if (stuckMs >= patienceMs || quietMs >= idleMs || !this.#spoke) this.destroy();
      else this.#watch = this.#checkLater();
    });
  }
}
