import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { InviteSession } from './invite-session.ts';
import type { SipMessage } from './message.ts';
import { type NameAddress, parseNameAddress } from './name-address.ts';
import { OutgoingSession } from './outgoing-session.ts';
import type { ParseFailure } from './parser.ts';
import { type Registration, register } from './registration.ts';
import { RequestServer } from './request-server.ts';
import { numericEndpoint, resolve } from './resolve.ts';
import { buildResponse, type RequestDraft } from './serializer.ts';
import type { SipSession } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { standardTimers } from './timers.ts';
import { TransactionLayer } from './transaction-layer.ts';
import type { Endpoint, Flow, TransportName } from './transport.ts';
import { type ListenAddress, TransportLayer } from './transport-layer.ts';
import { formatHost } from './uri.ts';
import type {
  InviteOptions,
  RegisterOptions,
  UserAgentOptions,
  UserAgentStats,
} from './user-agent-options.ts';

export type {
  InviteOptions,
  RegisterOptions,
  UserAgentOptions,
  UserAgentStats,
} from './user-agent-options.ts';

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
  #draining = false;
  #idle: (() => void) | undefined;

  constructor(options: UserAgentOptions) {
    this.#options = options;
    const timers = options.timers ?? standardTimers;
    this.#transports = new TransportLayer({
      clock: options.clock,
      listen: options.listen,
      advertisedHost: options.advertisedHost,
      message: (message, flow) => this.#receive(message, flow),
      refused: (failure, flow) => this.#refuse(failure, flow),
      failed: (error, where) => options.log('error', 'SIP socket failed', { where, error }),
    });
    this.#transactions = new TransactionLayer(options.clock, timers, this.#transports, () => server);
    this.#context = this.#sessionContext();
    const server = new RequestServer({
      context: this.#context,
      sessions: this.#sessions,
      registrar: options.registrar,
      onInvite: (session) => options.onInvite(session),
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
      peer: this.#knownTarget(options) ?? { transport: options.transport ?? 'udp', address: '', port: 0 },
    });
    this.#sessions.set(session.localTag, session);
    this.#target(options.requestUri, options)
      .then((flow) => session.start(flow))
      .catch((error: Error) => session.fail(error.message));
    return session;
  }

  /**
   * Registers a contact of ours once; the caller repeats it before it expires.
   * @throws CallreelError SIP_REFUSED or SIP_UNREACHABLE
   */
  async register(options: RegisterOptions): Promise<Registration> {
    return register(this.#context, await this.#target(options.registrar, options), options);
  }

  /** No new calls: INVITE and OPTIONS are answered 503; what runs goes on. */
  drain(): void {
    this.#draining = true;
  }

  /** Ends every session, waits a little for the peers' answers, closes the sockets. */
  async close(): Promise<void> {
    this.drain();
    for (const session of [...this.#sessions.values()]) session.end('shutting down');
    await this.#untilIdle();
    for (const session of this.#sessions.values()) session.abandon();
    this.#sessions.clear();
    this.#transactions.terminateAll();
    await this.#transports.close();
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
      contact: contactOn,
      request: (draft, flow, user) => this.#transactions.request(withAgent(draft, product), flow, user),
      sendAck: (draft, flow) => this.#transactions.sendAck(draft, flow),
      flowTo: (remote) => this.#transports.flowTo(remote),
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

  #knownTarget(options: InviteOptions): Endpoint | undefined {
    const { nextHop, transport, requestUri } = options;
    return nextHop ? { transport: transport ?? 'udp', ...nextHop } : numericEndpoint(requestUri, transport);
  }

  async #target(
    uri: string,
    options: { transport?: TransportName; nextHop?: { address: string; port: number } },
  ): Promise<Flow> {
    const { nextHop, transport } = options;
    const endpoint = nextHop ? { transport: transport ?? 'udp', ...nextHop } : await resolve(uri, transport);
    const flow = this.#transports.flowTo(endpoint);
    if (flow !== undefined) return flow;
    const where = `${endpoint.transport} ${endpoint.address}`;
    throw new CallreelError('SIP_UNREACHABLE', 'no SIP socket of ours reaches that address', { where });
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
  const transport = flow.transport === 'udp' ? '' : `;transport=${flow.transport}`;
  return `<sip:${formatHost(flow.local.host)}:${flow.local.port}${transport}>`;
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
