import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import type { PortRange } from './port-range.ts';
import type { Datagram, RtpTransport, TransportPort } from './transport.ts';

/** What every driver of the transport contract must do, over real sockets. Each driver's test calls it once. */
export interface TransportUnderTest {
  create(options: { address: string; ports: PortRange; startIndex: (count: number) => number }): RtpTransport;
}

export interface Received {
  text: string;
  arrivalUs: number;
  sourceAddress: string;
  sourcePort: number;
}

/** Copies what the contract only lends. */
export class RecordingSink {
  readonly received: Received[];
  #waiting: { count: number; resolve: () => void } | undefined;

  constructor(received: Received[] = []) {
    this.received = received;
  }

  receive({ data, arrivalUs, sourceAddress, sourcePort }: Datagram): void {
    // RTP that another process sends to a port it had before.
    if ((data[0] ?? 0) >= 0x80) return;
    this.received.push({ text: Buffer.from(data).toString('latin1'), arrivalUs, sourceAddress, sourcePort });
    if (this.#waiting && this.received.length >= this.#waiting.count) this.#waiting.resolve();
  }

  async until(count: number): Promise<Received[]> {
    if (this.received.length < count)
      await new Promise<void>((resolve) => (this.#waiting = { count, resolve }));
    return this.received;
  }
}

export function send(from: TransportPort, text: string, address: string, port: number): void {
  const bytes = Buffer.from(text, 'latin1');
  from.reserve(2048).set(bytes);
  from.commit(bytes.length, address, port);
}

/** Resolves with what `action` gives when run inside the next tick. */
export function insideTick<T>(queue: (() => void)[], action: () => T): Promise<T> {
  return new Promise((resolve, reject) =>
    queue.push(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    }),
  );
}

/** A peer that is none of ours, over a socket of Node. */
export async function openPeer(address: string, port = 0): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

export function sendFrom(peer: Socket, data: Uint8Array, port: number, address: string): Promise<unknown> {
  return new Promise((resolve) => peer.send(data, port, address, resolve));
}

/** So much to one destination that a driver may prepare for more. */
export const many = 120;

export const sentIn = (phase: number): string[] => Array.from({ length: many }, (_, i) => `${phase}: ${i}`);

export function sendMany(from: TransportPort, phase: string, { address, port }: Party): void {
  for (let i = 0; i < many; i++) send(from, `${phase}: ${i}`, address, port);
}

/** None of ours, who talks to one port of ours. */
export class Party {
  readonly peer: Socket;
  readonly address: string;
  readonly port: number;
  readonly #to: number;
  readonly #heard: string[] = [];

  constructor(peer: Socket, to: number) {
    this.peer = peer;
    ({ address: this.address, port: this.port } = peer.address());
    this.#to = to;
    peer.on('message', (data) => this.#heard.push(data.toString('latin1')));
  }

  static async open(address: string, to: number): Promise<Party> {
    return new Party(await openPeer(address), to);
  }

  /** @returns what is to be heard, and from which port */
  say(text: string): [string, number] {
    void this.peer.send(text, this.#to, this.address);
    return [text, this.port];
  }

  async until(count: number): Promise<string[]> {
    while (this.#heard.length < count) await once(this.peer, 'message');
    return this.#heard;
  }
}

/** Whether another socket, even one that would share the port, is refused it. */
export async function assertTaken(port: number, address: string, isTaken: boolean): Promise<void> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reusePort: true });
  const bound = new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.once('listening', () => resolve(true));
  });
  socket.bind(port, address);
  assert.equal(await bound, !isTaken);
  socket.close();
}

/** Where the system tells. */
export function countDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

export const anyPort: PortRange = { first: 0, last: 0 };

/** Runs `body` with a transport whose loop empties `queue` in each tick, and stops it whatever happens. */
export async function withTransport(
  { create }: TransportUnderTest,
  address: string,
  body: (transport: RtpTransport, queue: (() => void)[]) => Promise<void>,
  ports = anyPort,
): Promise<void> {
  const transport = create({ address, ports, startIndex: () => 0 });
  const queue: (() => void)[] = [];
  transport.run(() => {
    for (const action of queue.splice(0)) action();
  });
  try {
    await body(transport, queue);
  } finally {
    await transport.stop();
  }
}

/** Beginning with an even one; other processes may take them meanwhile, which is not likely. */
export async function findFreeRange({ create }: TransportUnderTest, count: number): Promise<PortRange> {
  for (;;) {
    const probe = create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
    const first = Math.max(1024, ((await probe.open(new RecordingSink())).port & ~1) - count);
    const range = { first, last: first + count - 1 };
    await probe.stop();
    const trial = create({ address: '127.0.0.1', ports: range, startIndex: () => 0 });
    const opening = Array.from({ length: count / 2 }, () => trial.open(new RecordingSink()));
    const opened = await Promise.allSettled(opening);
    await trial.stop();
    if (opened.every(({ status }) => status === 'fulfilled')) return range;
  }
}
