import { type FfiPort, steadySends } from './ffi-port.ts';
import type { DatagramSink } from './transport.ts';

export interface ProbedTransport {
  /** @returns undefined when no port is free */
  open(sink: DatagramSink): FfiPort | undefined;
  /** Sends what was committed, waits a moment for something to come, and hands it out. */
  exchange(): void;
}

/** Tries between ports of ours whether what they send comes as it was sent. */
export class TransportProbe {
  readonly ports: FfiPort[] = [];
  readonly #address: string;
  readonly #transport: ProbedTransport;
  #heard: string[] = [];

  constructor(address: string, transport: ProbedTransport) {
    this.#address = address;
    this.#transport = transport;
    for (let i = 0; i < 3; i++) {
      const port = transport.open({
        receive: ({ data, sourcePort }) =>
          this.#heard.push(`${Buffer.from(data).toString('latin1')} at ${i} from ${sourcePort}`),
      });
      if (port) this.ports.push(port);
    }
  }

  /** @returns what does not work */
  run(): string | undefined {
    if (this.ports.length < 3) return 'no port is free';
    return this.#pass([0, 1]) ? undefined : 'a datagram to ourselves did not arrive';
  }

  /** @returns whether a port that has a connected socket sends by it, and hears its peer and others as before */
  runConnected(): boolean {
    const steady: [number, number][] = Array.from({ length: steadySends }, () => [0, 1]);
    if (!this.#pass(...steady) || !this.#pass([0, 1]) || !this.ports[0]!.isConnected) return false;
    return this.#pass([0, 1], [1, 0], [2, 0]) && this.#pass([2, 0], [1, 0]);
  }

  #pass(...ways: [from: number, to: number][]): boolean {
    this.#heard = [];
    for (const [from, to] of ways) {
      const text = Buffer.from(`probe of ${from}`, 'latin1');
      this.ports[from]!.reserve(text.length).set(text);
      this.ports[from]!.commit(text.length, this.#address, this.ports[to]!.port);
    }
    for (let i = 0; i <= ways.length && this.#heard.length < ways.length; i++) this.#transport.exchange();
    const expected = ways.map(([from, to]) => `probe of ${from} at ${to} from ${this.ports[from]!.port}`);
    return this.#heard.length === ways.length && expected.every((text) => this.#heard.includes(text));
  }
}
