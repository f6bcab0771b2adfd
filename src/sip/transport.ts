import { formatHost } from './uri.ts';
import { defaultPort, type Via } from './via.ts';

/** Further names (`ws`, `wss`) join here and in `transport-layer`. */
export type TransportName = 'udp' | 'tcp' | 'tls';

export const transportNames: readonly TransportName[] = ['udp', 'tcp', 'tls'];

export interface Endpoint {
  readonly transport: TransportName;
  /** Numeric address. */
  readonly address: string;
  readonly port: number;
  /** Over TLS: the domain that the peer's certificate must stand for (RFC 5922 section 4). */
  readonly serverName?: string;
  /** Over TLS: false takes whatever certificate it shows. */
  readonly verify?: boolean;
}

/** A way to one peer: a UDP socket with an address, or one connection. */
export interface Flow {
  readonly transport: TransportName;
  /** RFC 3261 section 17: no retransmissions of ours on a reliable transport. */
  readonly reliable: boolean;
  readonly remote: Endpoint;
  /** Where we listen for this transport, as the peer can reach it: for Via and Contact. */
  readonly local: { readonly host: string; readonly port: number };
  /** False once a connection is gone; a datagram flow is always open. */
  readonly open: boolean;
  /** Never throws. `failed` is called at most once, later, when the bytes could not be handed to the network. */
  send(bytes: Uint8Array, failed?: (error: Error) => void): void;
  /** Datagrams: from the same socket to another port or address (RFC 3581 section 4). */
  sibling?(remote: Endpoint): Flow;
}

/** Whoever takes the bytes of a transport: one whole message per call. */
export interface MessageSink {
  receive(bytes: Uint8Array, flow: Flow): void;
  /** Told of everything that leaves by a flow, before it does. */
  sent?(bytes: Uint8Array, flow: Flow): void;
}

export interface Transport {
  readonly name: TransportName;
  /** Set by `start`. */
  readonly port: number;
  readonly host: string;
  start(): Promise<void>;
  /** A flow to `remote`; a connection is opened or an open one reused. Never throws; failures come by `send`. */
  flowTo(remote: Endpoint): Flow;
  readonly connections: number;
  close(): Promise<void>;
}

/** What every transport is made with. */
export interface TransportOptions {
  host: string;
  port: number;
  /** What a peer is told to send to instead of the address we listen on. */
  advertised(peerAddress: string): string;
  sink: MessageSink;
  /** Errors of the socket itself; those of one send go to its sender. */
  failed(error: Error): void;
}

/** Counts connections by where they come from. */
export interface ConnectionGate {
  /** False for one too many; what was taken is given back by `closed`. */
  opened(address: string): boolean;
  closed(address: string): void;
}

/** Via of a request that leaves by `flow`; `rport` asks for symmetric responses (RFC 3581). */
export function viaFor(flow: Flow, branch: string): string {
  const { host, port } = flow.local;
  return `SIP/2.0/${flow.transport.toUpperCase()} ${formatHost(host)}:${port};branch=${branch};rport`;
}

/** Host, port and transport of our Contact on a flow. */
export function contactAddress(flow: Flow): string {
  const transport = flow.transport === 'udp' ? '' : `;transport=${flow.transport}`;
  return `${formatHost(flow.local.host)}:${flow.local.port}${transport}`;
}

/**
 * Where the responses to a request go (RFC 3261 section 18.2.2 and RFC 3581 section 4): always to the address it came
 * from; `maddr` is not honoured, it would let anybody aim our responses at others.
 */
export function responseEndpoint(source: Endpoint, via: Via): Endpoint {
  const port = via.parameters.has('rport') ? source.port : (via.port ?? defaultPort(via.transport));
  return { transport: source.transport, address: source.address, port };
}
