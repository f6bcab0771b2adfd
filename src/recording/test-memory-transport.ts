import { isIPv4 } from 'node:net';
import type { ExpectedPackets } from '../rtp/expected-packets.ts';
import type { Datagram, DatagramSink, RtpTransport, TransportPort } from '../rtp/transport.ts';

interface Offer {
  expected: ExpectedPackets;
  row: number;
}

/** Without sockets: what is sent is kept, what comes is given, to the row of its stream first where that is wanted. */
export class MemoryTransport implements RtpTransport {
  readonly driver = 'dgram';
  readonly counters = {
    ...{ receivedPackets: 0, sentPackets: 0, failedSends: 0, sendOverflows: 0 },
    ...{ droppedDatagrams: 0, socketErrors: 0, lateTicks: 0, maxLatenessUs: 0 },
  };
  readonly sent: { from: number; to: string; bytes: Uint8Array }[] = [];
  readonly sinks = new Map<number, DatagramSink>();
  readonly #out = new Uint8Array(2048);
  readonly #offers: Map<number, Offer> | undefined;
  #nextPort = 10_000;

  constructor({ knowsRows = false } = {}) {
    if (knowsRows) this.#offers = new Map();
  }

  async open(sink: DatagramSink): Promise<TransportPort> {
    const port = this.#port(this.#nextPort, sink);
    this.#nextPort += 2;
    return port;
  }

  async openRtcp(rtp: TransportPort, sink: DatagramSink): Promise<TransportPort> {
    return this.#port(rtp.port + 1, sink);
  }

  /** To a port that is closed it goes nowhere. */
  receive(port: number, datagram: Datagram): void {
    if (!this.#isTaken(port, datagram)) this.sinks.get(port)?.receive(datagram);
  }

  #isTaken(port: number, { data, arrivalUs, sourceAddress, sourcePort }: Datagram): boolean {
    const offer = this.#offers?.get(port);
    if (!offer || !isIPv4(sourceAddress)) return false;
    const { expected, row } = offer;
    if (!expected.isNext(row, data) || !expected.isFrom(row, sockaddr(sourceAddress, sourcePort), 0, 16))
      return false;
    return expected.take(row, data, arrivalUs);
  }

  #port(number: number, sink: DatagramSink): TransportPort {
    this.sinks.set(number, sink);
    const offers = this.#offers;
    return {
      port: number,
      ...(offers && {
        expect: (expected: ExpectedPackets, row: number, address: string, port: number) => {
          if (row === 0 || !isIPv4(address)) offers.delete(number);
          else {
            const [source0, source1] = sockaddr(address, port);
            expected.comesFrom(row, source0!, source1!);
            offers.set(number, { expected, row });
          }
        },
        sendsFor: (expected: ExpectedPackets, row: number, address: string, port: number) => {
          expected.sendsBy(row, number);
          const sendConnected = (from: number, bytes: number): void =>
            void this.sent.push({ from, to: `${address}:${port}`, bytes: this.#out.slice(0, bytes) });
          return { bytes: this.#out, sendConnected };
        },
      }),
      reserve: () => this.#out,
      commit: (bytes, address, port) =>
        void this.sent.push({ from: number, to: `${address}:${port}`, bytes: this.#out.slice(0, bytes) }),
      close: () => {
        this.sinks.delete(number);
        offers?.delete(number);
      },
    };
  }

  run(): void {}

  async stop(): Promise<void> {}
}

/** The words of a sockaddr_in that count. */
function sockaddr(address: string, port: number): Uint32Array {
  const family = Uint8Array.of(2, 0, port >> 8, port);
  return new Uint32Array(Uint8Array.of(...family, ...address.split('.').map(Number)).buffer);
}
