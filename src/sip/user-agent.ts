import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { FlowKeeper } from './flow-keeper.ts';
import type { InviteSession } from './invite-session.ts';
import { privateNetworks } from './ip-address.ts';
import { KnownSources } from './known-sources.ts';
import { Locator, numericEndpoint } from './locate.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { type NameAddress, parseNameAddress } from './name-address.ts';
import { DnsResolver } from './name-resolver.ts';
import { OutgoingSession } from './outgoing-session.ts';
import type { ParseFailure } from './parser.ts';
import { RefusalLog } from './refusal-log.ts';
import { type Registration, RegistrationClient } from './registration.ts';
import { RegistrationKeeper } from './registration-keeper.ts';
import { sessionNamedBy } from './replaced-session.ts';
import { RequestServer } from './request-server.ts';
import { nextHopOf } from './route-set.ts';
import { buildResponse, type RequestDraft } from './serializer.ts';
import type { SipReplaces, SipSession } from './session.ts';
import type { LocateHints, SessionContext } from './session-context.ts';
import { standardSessionTimer } from './session-expires.ts';
import { defaultSourceLimits, SourceLimits } from './source-limits.ts';
import { standardTimers } from './timers.ts';
import { TransactionLayer } from './transaction-layer.ts';
import { contactAddress, type Endpoint, type Flow } from './transport.ts';
import { type ListenAddress, TransportLayer } from './transport-layer.ts';
import type { TlsIdentity } from './transport-tls.ts';
import { formatHost } from './uri.ts';
import type {
  InviteOptions,
  KeepRegisteredOptions,
  NextHop,
  RegisterOptions,
  UserAgentOptions,
  UserAgentStats,
} from './user-agent-options.ts';

export type {
  InviteOptions,
  KeepRegisteredOptions,
  NextHop,
  RegisterOptions,
  UserAgentOptions,
  UserAgentStats,
} from './user-agent-options.ts';

type TargetOptions = Pick<InviteOptions, 'transport' | 'nextHop' | 'tlsVerify'>;

const defaultMaxSessions = 10_000;
const closeLimitMs = 5_000;

/**
 * A SIP user agent, server and client (RFC 3261).
 *
 *   sockets -> TransportLayer (bytes -> message) -> TransactionLayer (each request once) -> RequestServer -> session
 */
export class UserAgent {
  readonly #options: UserAgentOptions;
  readonly #transports: TransportLayer;
  readonly #transactions: TransactionLayer;
  readonly #context: SessionContext;
  /** By our tag: the part of every in-dialog request that we chose. */
  readonly #sessions = new Map<string, InviteSession>();
  readonly #locator: Locator;
  readonly #refusals: RefusalLog;
  readonly #known: KnownSources;
  readonly #keepers = new Set<RegistrationKeeper>();
  #draining = false;
  #idle: (() => void) | undefined;

  constructor(options: UserAgentOptions) {
    this.#options = options;
    const timers = options.timers ?? standardTimers;
    const { clock } = options;
    this.#known = new KnownSources(clock);
    this.#refusals = new RefusalLog(clock, options.log);
    const limits = new SourceLimits(
      clock,
      { ...defaultSourceLimits, ...options.limits },
      (address) =>
        privateNetworks.has(address) || this.#known.has(address) || (options.trusted?.(address) ?? false),
    );
    this.#transports = new TransportLayer({
      clock,
      listen: options.listen,
      advertisedHost: options.advertisedHost,
      localNetworks: options.localNetworks,
      tls: options.tls,
      limits,
      tap: options.tap,
      dropped: (flow) => this.#refusals.note(flow.remote.address, 'too many messages'),
      message: (message, flow) => this.#receive(message, flow),
      refused: (failure, flow) => this.#refuse(failure, flow),
      failed: (error, where) => options.log('error', 'SIP socket failed', { where, error }),
    });
    const admission = {
      limits,
      excessive: (reason: string, _request: SipRequest, flow: Flow) =>
        this.#refusals.note(flow.remote.address, `too many ${reason}`),
    };
    this.#transactions = new TransactionLayer(clock, timers, this.#transports, admission, () => server);
    this.#locator = new Locator({
      resolver: options.resolver ?? new DnsResolver({ clock }),
      reaches: (transport, family) => this.#transports.reaches(transport, family),
      random: Math.random,
    });
    this.#context = this.#sessionContext();
    const server = new RequestServer({
      context: this.#context,
      sessions: this.#sessions,
      registrar: options.registrar,
      onInvite: (session) => options.onInvite(session),
      admission: options.admission ?? { isFull: false, admits: () => true },
      takesCalls: () => !this.#draining && this.#sessions.size < (options.maxSessions ?? defaultMaxSessions),
    });
  }

  /** @throws CallreelError PORT_TAKEN */
  async start(): Promise<void> {
    await this.#transports.start();
  }

  /** What is listened on; the ports are final once `start` has resolved. */
  get listening(): ListenAddress[] {
    return this.#transports.listening;
  }

  /**
   * Places a call. Everything that happens to it, a host that cannot be reached too, comes by the handlers, later.
   * @throws CallreelError REQUEST_INVALID for malformed URIs
   */
  invite(options: InviteOptions): SipSession {
    const fromText = asNameAddress(options.from);
    const toText = asNameAddress(options.to ?? options.requestUri);
    const session = new OutgoingSession(this.#context, {
      requestUri: parseOrThrow(asNameAddress(options.requestUri), 'requestUri').uri,
      from: parseOrThrow(fromText, 'from'),
      fromText,
      to: parseOrThrow(toText, 'to'),
      toText,
      offer: options.offer,
      headers: options.headers ?? [],
      credentials: options.credentials,
      handlers: options.handlers,
      viaNextHop: options.nextHop !== undefined,
      route: options.route ?? [],
      redirect: options.redirect,
      maxForwards: options.maxForwards,
      peer: this.#knownTarget(options) ?? { transport: options.transport ?? 'udp', address: '', port: 0 },
    });
    this.#sessions.set(session.localTag, session);
    this.#target(nextHopOf(options.requestUri, options.route ?? []), options)
      .then((flow) => session.start(flow))
      .catch((error: Error) => session.fail(error.message));
    return session;
  }

  /**
   * Registers a contact of ours once; the caller repeats it before it expires.
   * @throws CallreelError SIP_REFUSED or SIP_UNREACHABLE
   */
  async register(options: RegisterOptions): Promise<Registration> {
    const find = () => this.#target(options.registrar, options);
    return new RegistrationClient(this.#context, options, find).register(options.expiresSeconds);
  }

  /** Keeps a contact of ours registered, from `start` of what is given to its `close` or ours. */
  keepRegistered(options: KeepRegisteredOptions): RegistrationKeeper {
    const { clock, log } = this.#options;
    const { expiresSeconds, changed } = options;
    const way = new FlowKeeper(clock);
    let flow: Flow | undefined;
    const client = new RegistrationClient(this.#context, options, async () => {
      flow = await this.#target(options.registrar, options);
      return flow;
    });
    const keeper = new RegistrationKeeper({
      clock,
      log,
      client,
      expiresSeconds,
      changed: (status) => {
        if (status.state === 'closed') this.#keepers.delete(keeper);
        if (status.state === 'registered' && flow !== undefined) way.keep(flow);
        else if (status.expiresUnixMs === undefined) way.stop();
        changed?.(status);
      },
    });
    this.#keepers.add(keeper);
    return keeper;
  }

  /** The call of ours that a Replaces names (RFC 3891). */
  find(replaces: SipReplaces): SipSession | undefined {
    return sessionNamedBy(replaces, this.#sessions);
  }

  /** No new calls: INVITE and OPTIONS are answered 503; what runs goes on. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends every session, waits a little for the peers' answers, closes the sockets. */
  async close(): Promise<void> {
    this.drain();
    for (const session of [...this.#sessions.values()]) session.end('shutting down');
    await Promise.all([...this.#keepers].map((keeper) => keeper.close()));
    await this.#untilIdle();
    for (const session of this.#sessions.values()) session.abandon();
    this.#sessions.clear();
    this.#transactions.terminateAll();
    await this.#transports.close();
    this.#refusals.close();
  }

  /** From now on new TLS connections are made with this certificate. @throws Error when it is unusable */
  renew(identity: TlsIdentity): void {
    this.#transports.renew(identity);
  }

  /** The limits of a source turn ten times as wide: it is a trunk. */
  trust(address: string): void {
    this.#known.add(address);
  }

  /** Logs a call that was refused, and a flood of them as few lines. */
  noteRefused(address: string, reason: string, fields: Record<string, unknown>): void {
    this.#refusals.note(address, reason, fields);
  }

  stats(): UserAgentStats {
    return {
      sessions: this.#sessions.size,
      transactions: this.#transactions.size,
      connections: this.#transports.connections,
    };
  }

  #sessionContext(): SessionContext {
    const { log, product } = this.#options;
    return {
      transactions: this.#transactions.context,
      log,
      sessionTimer: this.#options.sessionTimer ?? standardSessionTimer,
      contact: contactOn,
      request: (draft, flow, user) => this.#transactions.request(withAgent(draft, product), flow, user),
      sendAck: (draft, flow) => this.#transactions.sendAck(draft, flow),
      flowTo: (remote) => this.#transports.flowTo(remote),
      locate: (uri, hints) => this.#target(uri, {}, hints),
      release: ({ localTag }) => {
        this.#sessions.delete(localTag);
        this.#checkIdle();
      },
    };
  }

  #receive(message: SipMessage, flow: Flow): void {
    try {
      this.#transactions.receive(message, flow);
    } catch (error) {
      this.#options.log('error', 'a SIP message broke its handler', { callId: message.callId, error });
    }
    this.#checkIdle();
  }

  #refuse(failure: ParseFailure, flow: Flow): void {
    const { status, reason, where, request } = failure;
    this.#options.log('debug', 'SIP message refused', { status, reason, where, from: flow.remote });
    if (request === undefined) return;
    const response = buildResponse(request, status, { reason, toTag: newId() });
    this.#transactions.respondStateless(response, request, flow);
  }

  /** Numeric address that an INVITE with these options would go to first; empty where there is none. Never rejects. */
  async peerAddress(options: Pick<InviteOptions, 'requestUri' | 'transport' | 'nextHop'>): Promise<string> {
    try {
      const [first] = await this.#locate(options.requestUri, options);
      return first?.address ?? '';
    } catch {
      // The INVITE itself says what is wrong.
      return '';
    }
  }

  #knownTarget({ nextHop, transport, requestUri }: InviteOptions): Endpoint | undefined {
    return numericEndpoint(nextHop === undefined ? requestUri : uriOf(nextHop), transport);
  }

  async #target(uri: string, options: TargetOptions = {}, { near }: LocateHints = {}): Promise<Flow> {
    const found = await this.#locate(uri, options);
    const unproven = options.tlsVerify === false || near?.verify === false;
    const flow = this.#transactions.route(
      found
        .toSorted((a, b) => nearness(b, near) - nearness(a, near))
        .map((endpoint) => (unproven ? { ...endpoint, verify: false } : endpoint)),
    );
    if (flow !== undefined) return flow;
    throw new CallreelError('SIP_UNREACHABLE', 'no SIP socket of ours reaches that address', { where: uri });
  }

  #locate(uri: string, { nextHop, transport }: TargetOptions): Promise<Endpoint[]> {
    return this.#locator.locate(nextHop === undefined ? uri : uriOf(nextHop), transport);
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(closeLimitMs, () => this.#idle?.());
      this.#idle = () => {
        this.#idle = undefined;
        timer.cancel();
        resolve();
      };
      this.#checkIdle();
    });
  }

  #checkIdle(): void {
    if (this.#idle !== undefined && this.#sessions.size === 0 && this.#transactions.settled) this.#idle();
  }
}

function contactOn(flow: Flow): string {
  return `<sip:${contactAddress(flow)}>`;
}

function uriOf({ address, port }: NextHop): string {
  return `sip:${formatHost(address)}${port === undefined ? '' : `:${port}`}`;
}

function nearness({ transport, address, port }: Endpoint, near: Endpoint | undefined): 0 | 1 {
  return near?.transport === transport && near.address === address && near.port === port ? 1 : 0;
}

function withAgent(draft: RequestDraft, product: string): RequestDraft {
  return { ...draft, headers: [...draft.headers, { name: 'User-Agent', value: product }] };
}

/** A bare URI in brackets, so that its parameters stay its own. */
function asNameAddress(text: string): string {
  return text.includes('<') ? text : `<${text}>`;
}

function parseOrThrow(text: string, where: string): NameAddress {
  const parsed = parseNameAddress(text);
  if (parsed === undefined || parsed.parameters.size > 0)
    throw new CallreelError('REQUEST_INVALID', `not a SIP address: ${text}`, { where });
  return parsed;
}
