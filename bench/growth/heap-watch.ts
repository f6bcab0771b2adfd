import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type { HeapOrder, HeapReport } from './heap-reporter.ts';

interface Reporter {
  socket: Socket;
  lines: Interface;
  name: string;
}

/** Asks the threads of a Callreel that was started with its `nodeOptions` what they keep. */
export class HeapWatch implements AsyncDisposable {
  readonly #server: Server;
  readonly #reporters = new Set<Reporter>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      const lines = createInterface({ input: socket });
      socket.on('error', () => undefined);
      lines.once('line', (name: string) => {
        const reporter = { socket, lines, name };
        this.#reporters.add(reporter);
        socket.on('close', () => this.#reporters.delete(reporter));
      });
    });
  }

  static async open(): Promise<HeapWatch> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HeapWatch(server);
  }

  /** What NODE_OPTIONS of the server must hold. */
  get nodeOptions(): string {
    const preload = new URL('./heap-reporter.ts', import.meta.url);
    preload.search = `port=${(this.#server.address() as AddressInfo).port}`;
    return `--import ${preload.href}`;
  }

  /** By the names of the threads, those of the same name together. */
  async ask(order: HeapOrder): Promise<Map<string, HeapReport>> {
    const sums = new Map<string, HeapReport>();
    for (const { socket, lines, name } of this.#reporters) {
      socket.write(`${JSON.stringify(order)}\n`);
      const [line] = (await once(lines, 'line')) as [string];
      const { heapBytes, externalBytes } = JSON.parse(line) as HeapReport;
      const sum = sums.get(name) ?? { heapBytes: 0, externalBytes: 0 };
      sums.set(name, {
        heapBytes: sum.heapBytes + heapBytes,
        externalBytes: sum.externalBytes + externalBytes,
      });
    }
    return new Map([...sums].sort(([a], [b]) => a.localeCompare(b)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#reporters) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
