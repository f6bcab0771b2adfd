import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { CaptureSink } from '../media/capture-sink.ts';
import { CommandExecutor } from '../media/command-executor.ts';
import type { Command, WorkerEvent } from '../media/control.ts';
import { SpoolProducer } from '../spool/producer.ts';
import { createRing, RingConsumer } from '../spool/ring.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';
import { MemoryTransport } from './test-memory-transport.ts';

/** What happens to a worker at a moment; several things in their order. */
export type Happening =
  | {
      kind: 'packet';
      leg: number;
      data: Uint8Array;
      address: string;
      port: number;
      ageUs: number;
      rtcp: boolean;
    }
  | { kind: 'command'; command: Command }
  | { kind: 'drain' };

/** Everything that is seen of a worker from outside. */
export interface Seen {
  sent: string[];
  ring: string[];
  events: string[];
  replies: string[];
}

const tickUs = 5000;

/** No packet takes the fast path; or those do that their leg is given; or those that are what their row expects. */
export type FastPathWay = 'long' | 'sink' | 'row';

/** A media worker's tick thread without sockets and disk, on a clock of its own. */
export class FastPathBench {
  readonly seen: Seen = { sent: [], ring: [], events: [], replies: [] };
  /** Records that took the fast path, and all. */
  fastRecords = 0;
  readonly #clock = new FakeClock();
  readonly #transport: MemoryTransport;
  readonly #consumer: RingConsumer;
  readonly #spool: SpoolProducer;
  readonly #capture: Capture;
  readonly #recordings: Recordings;
  readonly #executor: CommandExecutor;
  readonly #ports: number[] = [];
  #segments = 0;

  constructor(way: FastPathWay, ringBytes: number) {
    this.#transport = new MemoryTransport({ knowsRows: way === 'row' });
    const ring = createRing(ringBytes);
    this.#consumer = new RingConsumer(ring);
    const clock = this.#clock;
    const spool = (this.#spool = new SpoolProducer(ring));
    const post = (event: WorkerEvent): void => this.#tell(event);
    const newSegmentId = () => (++this.#segments).toString(16).padStart(16, '0');
    this.#capture = new Capture({ spool, clock, newSegmentId });
    this.#recordings = new Recordings({ capture: this.#capture, spool, emit: post });
    const capture: CaptureSink = this.#capture;
    if (way === 'long') capture.goesOn = () => undefined;
    const tryPacket = spool.tryPacket.bind(spool);
    spool.tryPacket = (...packet) => {
      const isKept = tryPacket(...packet);
      if (isKept) this.fastRecords++;
      return isKept;
    };
    this.#executor = new CommandExecutor({
      ...{ clock, transport: this.#transport, capture, recordings: this.#recordings, post },
      // The same of both ways.
      usage: () => ({ cpuUs: 0, residentBytes: 0 }),
    });
  }

  /** @param ticks without a turn, before this one */
  async turn(happenings: readonly Happening[], missedTicks = 0): Promise<void> {
    this.#clock.advanceUs(tickUs * (1 + missedTicks));
    for (const happening of happenings) if (happening.kind === 'packet') this.#receive(happening);
    for (const happening of happenings)
      if (happening.kind === 'command') await this.execute(happening.command);
    this.#executor.tick(this.#clock.monotonicUs());
    this.#capture.tick();
    // What took the fast path is in the ring for others by the end of the turn.
    if (happenings.some(({ kind }) => kind === 'drain')) this.#drain();
    for (const { from, to, bytes } of this.#transport.sent.splice(0))
      this.seen.sent.push(`${from} ${to} ${Buffer.from(bytes).toString('hex')}`);
  }

  async execute(command: Command): Promise<void> {
    try {
      const { port, stats } = await this.#executor.execute(command);
      if (port !== undefined) this.#ports.push(port);
      this.seen.replies.push(`${command.verb} ${port} ${JSON.stringify(stats)}`);
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      this.seen.replies.push(`${command.verb} ${error.code}`);
    }
  }

  #receive({ leg, data, address, port, ageUs, rtcp }: Happening & { kind: 'packet' }): void {
    const arrivalUs = this.#clock.monotonicUs() - ageUs;
    const ours = this.#ports[leg] ?? 0;
    const datagram = { data: data.slice(), arrivalUs, sourceAddress: address, sourcePort: port };
    this.#transport.receive(rtcp ? ours + 1 : ours, datagram);
  }

  #drain(): void {
    this.#consumer.drain(
      (kind, bytes) => void this.seen.ring.push(`${kind} ${Buffer.from(bytes).toString('latin1')}`),
      Number.MAX_SAFE_INTEGER,
    );
  }

  #tell(event: WorkerEvent): void {
    this.seen.events.push(`${this.#clock.monotonicUs()} ${JSON.stringify(event)}`);
  }
}
