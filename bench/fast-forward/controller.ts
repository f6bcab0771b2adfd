import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type { ForwardOrder, ForwardReport } from './orders.ts';

/** Drives the time of the media workers of a Callreel that was started with its `nodeOptions`. */
export class TimeController implements AsyncDisposable {
  readonly #server: Server;
  readonly #workers = new Map<Socket, Interface>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#workers.set(socket, createInterface({ input: socket }));
      socket.on('error', () => undefined);
      socket.on('close', () => this.#workers.delete(socket));
    });
  }

  static async open(): Promise<TimeController> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TimeController(server);
  }

  /** What NODE_OPTIONS of the server must hold. */
  get nodeOptions(): string {
    const preload = new URL('./preload.ts', import.meta.url);
    preload.search = `port=${(this.#server.address() as AddressInfo).port}`;
    return `--import ${preload.href}`;
  }

  /**
   * The calls that run go on for so long, in as little time as it takes; then they go on in real time.
   * @returns packets that were received meanwhile
   */
  async forward(durationMs: number): Promise<number> {
    if (this.#workers.size === 0) throw new Error('no media worker of the server takes orders');
    const order = `${JSON.stringify({ durationMs } satisfies ForwardOrder)}\n`;
    const reports = await Promise.all(
      [...this.#workers].map(async ([socket, lines]) => {
        const answered = once(lines, 'line');
        socket.write(order);
        const gone = once(socket, 'close').then(() => Promise.reject(new Error('a media worker is gone')));
        const [line] = await Promise.race([answered, gone]);
        return JSON.parse(line) as ForwardReport;
      }),
    );
    return reports.reduce((sum, { packets }) => sum + packets, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#workers.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
