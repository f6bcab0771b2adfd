import type { Datagram, DatagramSink, RtpTransport, TransportPort } from '../rtp/transport.ts';

/** Without sockets: what is sent is kept, what comes is given. */
export class MemoryTransport implements RtpTransport {
  readonly driver = 'dgram';
  readonly counters = {
    ...{ receivedPackets: 0, sentPackets: 0, failedSends: 0, sendOverflows: 0 },
    ...{ lateTicks: 0, maxLatenessUs: 0 },
  };
  readonly sent: { from: number; to: string; bytes: Uint8Array }[] = [];
  readonly sinks = new Map<number, DatagramSink>();
  readonly #out = new Uint8Array(2048);
  #nextPort = 10_000;

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
    this.sinks.get(port)?.receive(datagram);
  }

  #port(number: number, sink: DatagramSink): TransportPort {
    this.sinks.set(number, sink);
    return {
      port: number,
      reserve: () => this.#out,
      commit: (bytes, address, port) =>
        void this.sent.push({ from: number, to: `${address}:${port}`, bytes: this.#out.slice(0, bytes) }),
      close: () => void this.sinks.delete(number),
    };
  }

  run(): void {}

  async stop(): Promise<void> {}
}
