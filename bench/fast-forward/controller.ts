import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { ForwardOrder, ForwardReport, OrderTaker } from './orders.ts';

/** The server is given the time that its media workers had, in pieces as long as this. Between them a moment passes by itself. */
const usualPieceMs = 60_000;
/** In which it can do what its timers began. */
const pauseMs = 100;

/** Drives the time of a Callreel that was started with its `nodeOptions`. */
export class TimeController implements AsyncDisposable {
  readonly #server: Server;
  readonly #takers: Record<OrderTaker, Map<Socket, Interface>> = { media: new Map(), server: new Map() };

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      const lines = createInterface({ input: socket });
      socket.on('error', () => undefined);
      lines.once('line', (taker: OrderTaker) => {
        this.#takers[taker].set(socket, lines);
        socket.on('close', () => this.#takers[taker].delete(socket));
      });
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
  async forward(durationMs: number, pieceMs = usualPieceMs): Promise<number> {
    if (this.#takers.media.size === 0) throw new Error('no media worker of the server takes orders');
    let packets = 0;
    for (let leftMs = durationMs; leftMs > 0; leftMs -= pieceMs) {
      const piece = Math.min(leftMs, pieceMs);
      packets += await this.#order('media', piece);
      await this.#order('server', piece);
      if (leftMs > pieceMs) await wait(pauseMs);
    }
    return packets;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const takers of Object.values(this.#takers)) for (const socket of takers.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #order(taker: OrderTaker, durationMs: number): Promise<number> {
    const order = `${JSON.stringify({ durationMs } satisfies ForwardOrder)}\n`;
    const reports = await Promise.all(
      [...this.#takers[taker]].map(async ([socket, lines]) => {
        const answered = new AbortController();
        const { signal } = answered;
        const gone = once(socket, 'close', { signal }).then(
          () => Promise.reject(new Error('who took orders is gone')),
          () => undefined,
        );
        socket.write(order);
        const [line] = (await Promise.race([once(lines, 'line', { signal }), gone])) as [string];
        answered.abort();
        return JSON.parse(line) as ForwardReport;
      }),
    );
    return reports.reduce((sum, { packets }) => sum + packets, 0);
  }
}
