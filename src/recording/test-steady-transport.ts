import type { ExpectedPackets } from '../rtp/expected-packets.ts';
import { rtpHeaderBytes } from '../rtp/packet.ts';
import type { Datagram, DatagramSink, TransportPort } from '../rtp/transport.ts';
import { type Phone, type PhoneNetwork, packetBytes } from './test-steady-calls.ts';

/** Of ours, and who talks to it. */
class SteadyPort implements TransportPort, Phone {
  readonly port: number;
  readonly phonePort: number;
  readonly sink: DatagramSink;
  readonly #transport: SteadyTransport;
  #expected: ExpectedPackets | undefined;
  #row = 0;

  constructor(port: number, sink: DatagramSink, transport: SteadyTransport) {
    this.port = port;
    this.phonePort = port + 20_000;
    this.sink = sink;
    this.#transport = transport;
  }

  reserve(): Uint8Array {
    return this.#transport.out;
  }

  commit(bytes: number): void {
    this.#transport.took(this, bytes);
  }

  expect(expected: ExpectedPackets, row: number): void {
    this.#expected = expected;
    this.#row = row;
  }

  /** As who takes datagrams from the sockets does; all come from where they are expected. */
  say(datagram: Datagram): void {
    const { data, arrivalUs } = datagram;
    const row = this.#row;
    const expected = this.#expected;
    const isTaken = row > 0 && expected!.isNext(row, data) && expected!.take(row, data, arrivalUs);
    if (!isTaken) this.sink.receive(datagram);
  }

  close(): void {}
}

/** Without sockets: what phones say is handed out at once, and what is sent to them is counted. */
export class SteadyTransport implements PhoneNetwork {
  readonly driver = 'ffi';
  readonly counters = {
    ...{ receivedPackets: 0, sentPackets: 0, failedSends: 0, sendOverflows: 0 },
    ...{ droppedDatagrams: 0, socketErrors: 0, lateTicks: 0, maxLatenessUs: 0 },
  };
  readonly out = new Uint8Array(2048);
  readonly ports: SteadyPort[] = [];
  /** Payload bytes that were relayed by the port, while they are looked at. */
  seen: Map<SteadyPort, number[]> | undefined;
  #ticks: readonly ((nowUs: number) => void)[] = [];

  async open(sink: DatagramSink): Promise<TransportPort> {
    const port = new SteadyPort(10_000 + 2 * this.ports.length, sink, this);
    this.ports.push(port);
    return port;
  }

  async openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort> {
    return new SteadyPort(rtp.port + 1, sink, this);
  }

  get heardByPhones(): number {
    return this.counters.sentPackets;
  }

  async openPhone(): Promise<Phone> {
    return this.ports.at(-1)!;
  }

  took(port: SteadyPort, bytes: number): void {
    if (bytes !== packetBytes) return;
    this.counters.sentPackets++;
    if (!this.seen) return;
    const of = this.seen.get(port) ?? [];
    this.seen.set(port, of);
    of.push(this.out[rtpHeaderBytes]!);
  }

  run(...ticks: ((nowUs: number) => void)[]): void {
    this.#ticks = ticks;
  }

  turn(nowUs: number): void {
    for (const tick of this.#ticks) tick(nowUs);
  }

  async stop(): Promise<void> {}
}
