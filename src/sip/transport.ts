import { formatHost } from './uri.ts';
import { defaultPort, type Via } from './via.ts';

/** Further names (`tls`, `ws`, `wss`) join here and in `transport-layer`. */
export type TransportName = 'udp' | 'tcp';

export interface Endpoint {
  readonly transport: TransportName;
  /** Numeric address. */
  readonly address: string;
  readonly port: number;
}

/** A way to one peer: a UDP socket with an address, or one TCP connection. */
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
}

/** Whoever takes the bytes of a transport: one whole message per call. */
export interface MessageSink {
  receive(bytes: Uint8Array, flow: Flow): void;
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

/** Via of a request that leaves by `flow`; `rport` asks for symmetric responses (RFC 3581). */
export function viaFor(flow: Flow, branch: string): string {
  const { host, port } = flow.local;
  return `SIP/2.0/${flow.transport.toUpperCase()} ${formatHost(host)}:${port};branch=${branch};rport`;
}

/**
 * Where the responses to a request go (RFC 3261 section 18.2.2 and RFC 3581 section 4): always to the address it came
 * from; `maddr` is not honoured, it would let anybody aim our responses at others.
 */
export function responseEndpoint(source: Endpoint, via: Via): Endpoint {
  const port = via.parameters.has('rport') ? source.port : (via.port ?? defaultPort(via.transport));
  return { transport: source.transport, address: source.address, port };
}
