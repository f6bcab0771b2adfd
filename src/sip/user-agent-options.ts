import type { Clock } from '../clock.ts';
import type { ClientCredentials } from './digest-client.ts';
import type { MessageTap } from './message-tap.ts';
import type { NameResolver } from './name-resolver.ts';
import type { RedirectConsent } from './redirect.ts';
import type { Registrar } from './registrar.ts';
import type { RegistrationKeeperOptions } from './registration-keeper.ts';
import type { CallAdmission } from './request-server.ts';
import type { SipHeader, SipSession, SipSessionHandlers } from './session.ts';
import type { Log } from './session-context.ts';
import type { SessionTimerPolicy } from './session-expires.ts';
import type { SourceLimitOptions } from './source-limits.ts';
import type { SipTimers } from './timers.ts';
import type { TransportName } from './transport.ts';
import type { ListenAddress } from './transport-layer.ts';
import type { TlsOptions } from './transport-tls.ts';

export interface UserAgentOptions {
  clock: Clock;
  log: Log;
  /** Port 0 takes a free one; `listening` tells which. */
  listen: readonly ListenAddress[];
  /** What stands in Via and Contact instead of the address listened on, where `listen` names nothing else. */
  advertisedHost?: string;
  /** Networks whose peers see our own address all the same; those we have a foot in when not given. */
  localNetworks?: readonly string[];
  /** Wanted where `listen` names TLS. */
  tls?: TlsOptions;
  /** Finds hosts by name; without it the system's DNS servers are asked. */
  resolver?: NameResolver;
  limits?: Partial<SourceLimitOptions>;
  /** Whose limits are ten times as wide: trunks, besides loopback and private networks. */
  trusted?(address: string): boolean;
  /** For User-Agent and Server. */
  product: string;
  /** Called once per call, after its 100; sets the session's handlers before it returns. */
  onInvite(session: SipSession): void;
  registrar?: Registrar;
  /** Is shown every message. */
  tap?: MessageTap;
  /** More are answered 503. */
  maxSessions?: number;
  /** Who decides whether one more call may come; without it: `maxSessions` alone. */
  admission?: CallAdmission;
  /** RFC 4028; without it, the intervals the RFC recommends. */
  sessionTimer?: SessionTimerPolicy;
  /** Other values than the RFC's only for tests on real sockets. */
  timers?: SipTimers;
}

/** A host by address or by name; the port may be left to DNS or the transport. */
export interface NextHop {
  readonly address: string;
  readonly port?: number;
}

export interface InviteOptions {
  requestUri: string;
  /** URI, or name-addr with a display name. */
  from: string;
  /** Without it, the request URI. */
  to?: string;
  /** Without it the peer makes the offer, which `reoffered` then answers. */
  offer?: string;
  headers?: readonly SipHeader[];
  transport?: TransportName;
  /**
   * Where to send the request, whatever the request URI says: an outbound proxy, or a binding's source. Later requests
   * of the call go there too, unless proxies record their route.
   */
  nextHop?: NextHop;
  /** Over TLS: false takes whatever certificate the peer shows. */
  tlsVerify?: boolean;
  credentials?: ClientCredentials;
  /**
   * Values of Route, first hop first: a registrar's Service-Route, or the Path of a binding. The INVITE goes to the
   * first of them where `nextHop` says nothing else.
   */
  route?: readonly string[];
  /** Consents to places that the called party is redirected to; without it a redirection ends the call. */
  redirect?: RedirectConsent;
  /** Of its INVITEs; of a call that goes on with another one less than that one had (RFC 7332 section 3). */
  maxForwards?: number | undefined;
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
  nextHop?: NextHop;
  tlsVerify?: boolean;
}

export type KeepRegisteredOptions = Omit<RegisterOptions, 'expiresSeconds'> &
  Pick<RegistrationKeeperOptions, 'expiresSeconds' | 'changed'>;

export interface UserAgentStats {
  sessions: number;
  transactions: number;
  connections: number;
}
