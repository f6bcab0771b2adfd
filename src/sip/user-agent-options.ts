import type { Clock } from '../clock.ts';
import type { ClientCredentials } from './digest-client.ts';
import type { Registrar } from './registrar.ts';
import type { SipHeader, SipSession, SipSessionHandlers } from './session.ts';
import type { Log } from './session-context.ts';
import type { SipTimers } from './timers.ts';
import type { TransportName } from './transport.ts';
import type { ListenAddress } from './transport-layer.ts';

export interface UserAgentOptions {
  clock: Clock;
  log: Log;
  /** Port 0 takes a free one; `listening` tells which. */
  listen: readonly ListenAddress[];
  /** What stands in Via and Contact instead of the address listened on. */
  advertisedHost?: string;
  /** For User-Agent and Server. */
  product: string;
  /** Called once per call, after its 100; sets the session's handlers before it returns. */
  onInvite(session: SipSession): void;
  registrar?: Registrar;
  /** More are answered 503. */
  maxSessions?: number;
  /** Other values than the RFC's only for tests on real sockets. */
  timers?: SipTimers;
}

export interface InviteOptions {
  requestUri: string;
  /** URI, or name-addr with a display name. */
  from: string;
  /** Without it, the request URI. */
  to?: string;
  offer: string;
  headers?: readonly SipHeader[];
  transport?: TransportName;
  /**
   * Where to send the request, whatever the request URI says: an outbound proxy, or a binding's source. Later requests
   * of the call go there too, unless proxies record their route.
   */
  nextHop?: { address: string; port: number };
  credentials?: ClientCredentials;
  handlers: SipSessionHandlers;
}

export interface RegisterOptions {
  /** Request-URI, such as `sip:127.0.0.1:5060`. */
  registrar: string;
  /** Address of record, such as `sip:alice@example.com`. */
  aor: string;
  credentials?: ClientCredentials;
  /** 0 removes the binding. */
  expiresSeconds: number;
  /** User part of our Contact. */
  contactUser: string;
  transport?: TransportName;
  nextHop?: { address: string; port: number };
}

export interface UserAgentStats {
  sessions: number;
  transactions: number;
  connections: number;
}
