import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { sleep, systemClock } from '../../src/clock.ts';
import { NetstringReader, writeNetstring } from './netstring.ts';

export interface BaresipEvent {
  type: string;
  param?: string;
}

interface Waiter {
  type: string;
  resolve(event: BaresipEvent): void;
  reject(error: Error): void;
}

const connectAttempts = 100;
const connectIntervalMs = 50;

/** The control port of a running baresip (its module ctrl_tcp): commands in, answers and events out. */
export class BaresipControl {
  readonly events: BaresipEvent[] = [];
  readonly #socket: Socket;
  readonly #reader = new NetstringReader();
  readonly #answers: ((answer: { ok: boolean; data?: string }) => void)[] = [];
  readonly #waiters = new Set<Waiter>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      for (const text of this.#reader.push(bytes)) this.#receive(text);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { type, reject } of this.#waiters)
        reject(new Error(`baresip ended while ${type} was awaited`));
      for (const answer of this.#answers) answer({ ok: false, data: 'baresip ended' });
    });
  }

  /** Waits until the port is open: baresip opens it late in its start. */
  static async connect(host: string, port: number, isRunning: () => boolean): Promise<BaresipControl> {
    for (let attempt = 0; attempt < connectAttempts && isRunning(); attempt++) {
      const socket = await open(host, port);
      if (socket) return new BaresipControl(socket);
      await sleep(systemClock, connectIntervalMs);
    }
    throw new Error(`baresip never opened its control port ${host}:${port}`);
  }

  /** @throws Error when baresip refuses the command */
  async command(command: string, params = ''): Promise<string> {
    const answered = new Promise<{ ok: boolean; data?: string }>((resolve) => this.#answers.push(resolve));
    this.#socket.write(writeNetstring(JSON.stringify({ command, params, token: command })));
    const { ok, data = '' } = await answered;
    if (!ok) throw new Error(`baresip: ${command} ${params}: ${data}`);
    return data;
  }

  /** The first event of this type, past or to come. */
  waitFor(type: string, timeoutMs = 15_000): Promise<BaresipEvent> {
    const past = this.events.find((event) => event.type === type);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const came = () => this.events.map((event) => event.type).join(', ') || 'none';
      const timer = systemClock.after(timeoutMs, () =>
        waiter.reject(new Error(`no ${type} of baresip within ${timeoutMs} ms; events: ${came()}`)),
      );
      const settle = () => {
        timer.cancel();
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        type,
        resolve: (event) => {
          settle();
          resolve(event);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as { event?: boolean; response?: boolean; ok?: boolean; data?: string };
    if (message.response) {
      this.#answers.shift()?.({ ok: message.ok === true, data: message.data });
      return;
    }
    if (!message.event) return;
    const event = message as unknown as BaresipEvent;
    this.events.push(event);
    for (const waiter of this.#waiters) if (waiter.type === event.type) waiter.resolve(event);
  }
}

function open(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
