import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { AnswerableRequest, SipMessage } from './message.ts';
import { type ParseFailure, parseMessage } from './parser.ts';
import type { Endpoint, Flow, MessageSink, Transport, TransportName } from './transport.ts';
import { TcpTransport } from './transport-tcp.ts';
import { UdpTransport } from './transport-udp.ts';
import { formatVia, stampVia } from './via.ts';

export interface ListenAddress {
  readonly transport: TransportName;
  readonly host: string;
  readonly port: number;
}

export interface TransportLayerOptions {
  clock: Clock;
  listen: readonly ListenAddress[];
  advertisedHost: string | undefined;
  /** A whole message. */
  message(message: SipMessage, flow: Flow): void;
  /** Bytes that are no acceptable message. */
  refused(failure: ParseFailure, flow: Flow): void;
  failed(error: Error, where: string): void;
}

/** Opens the sockets and turns bytes into messages. */
export class TransportLayer implements MessageSink {
  readonly #options: TransportLayerOptions;
  readonly #transports: Transport[];

  constructor(options: TransportLayerOptions) {
    this.#options = options;
    this.#transports = options.listen.map((address) => this.#create(address));
  }

  get listening(): ListenAddress[] {
    return this.#transports.map(({ name, host, port }) => ({ transport: name, host, port }));
  }

  get connections(): number {
    return this.#transports.reduce((sum, transport) => sum + transport.connections, 0);
  }

  /** @throws CallreelError PORT_TAKEN */
  async start(): Promise<void> {
    const started: Transport[] = [];
    for (const transport of this.#transports) {
      try {
        await transport.start();
        started.push(transport);
      } catch (cause) {
        await Promise.all(started.map((other) => other.close()));
        const where = `${transport.name} ${transport.host}:${transport.port}`;
        throw new CallreelError('PORT_TAKEN', `cannot listen for SIP on ${where}`, { where, cause });
      }
    }
  }

  has(name: TransportName): boolean {
    return this.#transports.some((transport) => transport.name === name);
  }

  /** Undefined when we do not speak that transport or not that address family. */
  flowTo(remote: Endpoint): Flow | undefined {
    const ipv6 = remote.address.includes(':');
    const candidates = this.#transports.filter((transport) => transport.name === remote.transport);
    const transport = candidates.find(({ host }) => host.includes(':') === ipv6);
    return transport?.flowTo(remote);
  }

  receive(bytes: Uint8Array, flow: Flow): void {
    // A NAT keep-alive in a datagram of its own (RFC 5626 section 4.4.2 sends STUN; phones send CRLF or a NUL).
    if (bytes.length <= 4) return;
    const result = parseMessage(bytes, flow.reliable ? 'stream' : 'datagram');
    if (result.ok) {
      if (result.message.kind === 'request') this.#stamp(result.message, flow);
      this.#options.message(result.message, flow);
      return;
    }
    const { failure } = result;
    if (failure.request !== undefined) this.#stamp(failure.request, flow);
    this.#options.refused(failure, flow);
  }

  #stamp(request: AnswerableRequest, flow: Flow): void {
    const stamped = stampVia(request.via, flow.remote.address, flow.remote.port);
    if (stamped === request.via) return;
    const header = request.headers.find(({ key }) => key === 'via');
    if (header === undefined) return;
    const comma = header.value.indexOf(',');
    header.value = formatVia(stamped) + (comma < 0 ? '' : header.value.slice(comma));
    request.via = stamped;
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  #create(address: ListenAddress): Transport {
    const { advertisedHost, clock, failed } = this.#options;
    const where = `${address.transport} ${address.host}:${address.port}`;
    const options = {
      host: address.host,
      port: address.port,
      advertisedHost,
      sink: this,
      failed: (error: Error) => failed(error, where),
    };
    switch (address.transport) {
      case 'udp':
        return new UdpTransport(options);
      case 'tcp':
        return new TcpTransport({ ...options, clock });
    }
  }
}
