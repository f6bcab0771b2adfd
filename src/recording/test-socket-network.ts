import assert from 'node:assert/strict';
import type { FakeClock } from '../clock.ts';
import { openLibc } from '../rtp/libc.ts';
import type { Datagram, DatagramSink, TransportPort } from '../rtp/transport.ts';
import { FfiTransport, type FfiTransportOptions } from '../rtp/transport-ffi.ts';
import { address, type Phone, type PhoneNetwork, packetBytes } from './test-steady-calls.ts';

class SocketPhone implements Phone {
  readonly phonePort: number;
  readonly #port: TransportPort;
  readonly #to: number;

  constructor(port: TransportPort, to: number) {
    this.phonePort = port.port;
    this.#port = port;
    this.#to = to;
  }

  say({ data }: Datagram): void {
    this.#port.reserve(data.length).set(data);
    this.#port.commit(data.length, address, this.#to);
  }
}

/** The driver `ffi` and real sockets: the phones have another one of it, whose turn is before that of the calls. */
export class SocketNetwork extends FfiTransport implements PhoneNetwork {
  readonly #phones: FfiTransport;
  #opened: TransportPort | undefined;
  heardByPhones = 0;
  readonly #ear: DatagramSink = {
    receive: ({ data }) => {
      if (data.length === packetBytes) this.heardByPhones++;
    },
  };

  constructor(clock: FakeClock, how: Pick<FfiTransportOptions, 'uring'>) {
    const libc = openLibc();
    assert.ok(typeof libc === 'object', String(libc));
    const options = { libc, clock, address, ports: { first: 0, last: 0 }, ...how };
    super(options);
    this.#phones = new FfiTransport(options);
    this.#phones.run();
  }

  override async open(sink: DatagramSink): Promise<TransportPort> {
    return (this.#opened = await super.open(sink));
  }

  async openPhone(): Promise<Phone> {
    const port = await this.#phones.open(this.#ear);
    return new SocketPhone(port, this.#opened!.port);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#phones.stop();
  }
}
