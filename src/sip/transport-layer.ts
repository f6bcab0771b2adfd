import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { advertisedHost, type IsLocal, localPeers } from './advertised-host.ts';
import { isIpv6, isWildcard } from './ip-address.ts';
import { localHost } from './local-host.ts';
import type { AnswerableRequest, SipMessage } from './message.ts';
import type { MessageTap } from './message-tap.ts';
import { type ParseFailure, parseMessage } from './parser.ts';
import type { SourceLimits } from './source-limits.ts';
import type { Endpoint, Flow, MessageSink, Transport, TransportName } from './transport.ts';
import { TcpTransport } from './transport-tcp.ts';
import { type TlsIdentity, type TlsOptions, TlsTransport } from './transport-tls.ts';
import { UdpTransport } from './transport-udp.ts';
import { formatVia, stampVia } from './via.ts';

export interface ListenAddress {
  readonly transport: TransportName;
  readonly host: string;
  readonly port: number;
  /** What stands in Via and Contact instead of the address listened on, for peers outside. */
  readonly advertisedHost?: string;
}

export interface TransportLayerOptions {
  clock: Clock;
  listen: readonly ListenAddress[];
  advertisedHost: string | undefined;
  /** Networks whose peers see our own address; those we have a foot in when not given. */
  localNetworks: readonly string[] | undefined;
  tls: TlsOptions | undefined;
  limits: SourceLimits;
  /** A whole message. */
  message(message: SipMessage, flow: Flow): void;
  /** Bytes that are no acceptable message. */
  refused(failure: ParseFailure, flow: Flow): void;
  /** A message too many of its source: not even read. */
  dropped(flow: Flow): void;
  failed(error: Error, where: string): void;
  tap?: MessageTap | undefined;
}

/** A NAT keep-alive in a datagram of its own (RFC 5626 section 4.4.2 sends STUN; phones send CRLF or a NUL). */
const maxKeepAliveBytes = 4;

/** Opens the sockets and turns bytes into messages. */
export class TransportLayer implements MessageSink {
  readonly #options: TransportLayerOptions;
  readonly #isLocal: IsLocal;
  readonly #transports: Transport[];

  /** @throws CallreelError CONFIG_INVALID for TLS without a usable certificate */
  constructor(options: TransportLayerOptions) {
    this.#options = options;
    this.#isLocal = localPeers(options.localNetworks);
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

  /** Whether we have a socket for that. */
  reaches(name: TransportName, family: 4 | 6): boolean {
    return this.#transports.some((transport) => transport.name === name && speaks(transport.host, family));
  }

  /** Undefined when we do not speak that transport or not that address family. */
  flowTo(remote: Endpoint): Flow | undefined {
    const family = isIpv6(remote.address) ? 6 : 4;
    const candidates = this.#transports.filter(
      ({ name, host }) => name === remote.transport && speaks(host, family),
    );
    return (candidates.length > 1 ? nearest(candidates, remote.address) : candidates[0])?.flowTo(remote);
  }

  /** From now on new TLS connections are made with this certificate. @throws Error when it is unusable */
  renew(identity: TlsIdentity): void {
    for (const transport of this.#transports)
      if (transport instanceof TlsTransport) transport.renew(identity);
  }

  receive(bytes: Uint8Array, flow: Flow): void {
    if (bytes.length <= maxKeepAliveBytes) return;
    if (!this.#options.limits.takesMessage(flow.remote.address)) {
      this.#options.dropped(flow);
      return;
    }
    this.#options.tap?.('received', bytes, flow);
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

  sent(bytes: Uint8Array, flow: Flow): void {
    if (bytes.length > maxKeepAliveBytes) this.#options.tap?.('sent', bytes, flow);
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
    const { clock, failed, tls, limits } = this.#options;
    const { transport, host, port } = address;
    const where = `${transport} ${host}:${port}`;
    const reachable = { host, advertisedHost: address.advertisedHost ?? this.#options.advertisedHost };
    const options = {
      host,
      port,
      advertised: (peerAddress: string) => advertisedHost(reachable, peerAddress, this.#isLocal),
      sink: this,
      failed: (error: Error) => failed(error, where),
    };
    switch (transport) {
      case 'udp':
        return new UdpTransport(options);
      case 'tcp':
        return new TcpTransport({ ...options, clock, gate: limits });
      case 'tls':
        return createTls({ ...options, clock, gate: limits }, tls);
    }
  }
}

function createTls(
  options: ConstructorParameters<typeof TlsTransport>[0],
  tls: TlsOptions | undefined,
): TlsTransport {
  if (tls === undefined) throw new CallreelError('CONFIG_INVALID', 'SIP over TLS needs a certificate');
  try {
    return new TlsTransport(options, tls);
  } catch (cause) {
    throw new CallreelError('CONFIG_INVALID', 'the certificate and key for SIP over TLS cannot be used', {
      where: 'sip.tls',
      cause,
    });
  }
}

/** A socket on `::` takes IPv4 as well. */
function speaks(host: string, family: 4 | 6): boolean {
  return host === '::' || isIpv6(host) === (family === 6);
}

/** Of several addresses we listen on, the one that the routes of this machine lead to the peer from. */
function nearest(candidates: readonly Transport[], peerAddress: string): Transport | undefined {
  const source = localHost('', peerAddress);
  return (
    candidates.find(({ host }) => localHost(host, peerAddress) === source && !isWildcard(host)) ??
    candidates.find(({ host }) => isWildcard(host)) ??
    candidates[0]
  );
}
