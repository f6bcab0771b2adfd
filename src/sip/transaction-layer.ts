import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import { ClientRequest, type ClientTransaction, sentRequest } from './client-request.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import { tagOf } from './name-address.ts';
import { RoutedFlow } from './routed-flow.ts';
import { buildResponse, type OutgoingResponse, type RequestDraft } from './serializer.ts';
import type { SourceLimits } from './source-limits.ts';
import type { SipTimers } from './timers.ts';
import {
  type ClientTransactionUser,
  clientKey,
  mergeKey,
  serverKey,
  type Transaction,
  type TransactionContext,
} from './transaction.ts';
import { InviteServerTransaction } from './transaction-invite-server.ts';
import { NonInviteServerTransaction } from './transaction-non-invite-server.ts';
import { type Endpoint, type Flow, responseEndpoint } from './transport.ts';
import type { TransportLayer } from './transport-layer.ts';
import { Unreachable } from './unreachable.ts';

/** More at once are answered 503 without a transaction. */
const maxServerTransactions = 50_000;
/** RFC 3261 section 18.1.1: within 200 bytes of the usual path MTU a request goes by TCP. */
const maxDatagramBytes = 1300;

export type ServerTransaction = InviteServerTransaction | NonInviteServerTransaction;

/** The transaction user: gets each request once. */
export interface RequestHandler {
  invite(transaction: InviteServerTransaction): void;
  /** An ACK that belongs to a 2xx. */
  ack(request: SipRequest, flow: Flow): void;
  /** `invite` is the transaction to cancel, where there is one. */
  cancel(transaction: NonInviteServerTransaction, invite: InviteServerTransaction | undefined): void;
  request(transaction: NonInviteServerTransaction): void;
}

/** Who may ask how much, and who is told of what was refused. */
export interface Admission {
  readonly limits: SourceLimits;
  excessive(reason: string, request: SipRequest, flow: Flow): void;
}

/** Matches messages to transactions and starts new ones (RFC 3261 section 17). */
export class TransactionLayer {
  readonly context: TransactionContext;
  readonly #transports: TransportLayer;
  readonly #handler: () => RequestHandler;
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #merges = new Map<string, ServerTransaction>();
  readonly #unanswered = new Set<ServerTransaction>();
  readonly #admission: Admission;
  readonly #unreachable: Unreachable;

  /** @param handler told of requests; a function, as it is built on this layer */
  constructor(
    clock: Clock,
    timers: SipTimers,
    transports: TransportLayer,
    admission: Admission,
    handler: () => RequestHandler,
  ) {
    this.#transports = transports;
    this.#admission = admission;
    this.#handler = handler;
    this.#unreachable = new Unreachable(clock);
    this.context = { clock, timers, terminated: (transaction) => this.#remove(transaction) };
  }

  get size(): number {
    return this.#servers.size + this.#clients.size;
  }

  receive(message: SipMessage, flow: Flow): void {
    if (message.kind === 'response') this.#receiveResponse(message);
    else if (message.method === 'ACK') this.#receiveAck(message, flow);
    else this.#receiveRequest(message, flow);
  }

  /**
   * Sends a request; the transport may change to TCP for size, the target where `flow` has several. Events come later,
   * never inside this call.
   */
  request(draft: RequestDraft, flow: Flow, user: ClientTransactionUser): ClientRequest {
    const request = new ClientRequest(this, draft, flow, user);
    request.start();
    return request;
  }

  /** A flow to the first target that is not known to be down; it goes on to the others where that one fails. */
  route(targets: readonly Endpoint[]): Flow | undefined {
    const flows = this.#transports;
    const [first, ...others] = this.#unreachable.sort(targets);
    const flow = first && flows.flowTo(first);
    if (flow === undefined || others.length === 0) return flow;
    return new RoutedFlow(flow, others, (endpoint) => flows.flowTo(endpoint));
  }

  /** What became of a request to there. */
  reached(endpoint: Endpoint, answered: boolean): void {
    if (answered) this.#unreachable.remove(endpoint);
    else this.#unreachable.add(endpoint);
  }

  /** RFC 3261 section 18.1.1: where the peer is not known to refuse it. */
  streamFor(draft: RequestDraft, flow: Flow): Flow | undefined {
    if (flow.transport !== 'udp' || requestBytes(draft) <= maxDatagramBytes) return undefined;
    const stream: Endpoint = { ...flow.remote, transport: 'tcp' };
    return this.#unreachable.has(stream) ? undefined : this.#transports.flowTo(stream);
  }

  /** ACK to a 2xx: outside every transaction, sent once for each 2xx (RFC 3261 section 13.2.2.4). */
  sendAck(draft: RequestDraft, flow: Flow): void {
    const sent = sentRequest(draft, flow);
    flow.send(sent.bytes);
  }

  /** A response without a transaction. */
  respondStateless(response: OutgoingResponse, request: { via: SipRequest['via'] }, flow: Flow): void {
    this.#sendResponse(response.bytes, request, flow, () => {});
  }

  add(transaction: ClientTransaction): void {
    this.#clients.set(transaction.key, transaction);
  }

  /** Whether no transaction waits for its peer any more. */
  get settled(): boolean {
    for (const transaction of this.#servers.values()) if (!transaction.settled) return false;
    for (const transaction of this.#clients.values()) if (!transaction.settled) return false;
    return true;
  }

  terminateAll(): void {
    for (const transaction of [...this.#servers.values(), ...this.#clients.values()]) transaction.terminate();
  }

  #receiveResponse(response: SipResponse): void {
    const branch = response.via.parameters.get('branch') ?? '';
    this.#clients.get(clientKey(branch, response.cseq.method))?.receive(response);
  }

  #receiveAck(request: SipRequest, flow: Flow): void {
    const transaction = this.#servers.get(serverKey(request, 'ACK'));
    transaction?.receive(request);
    // Some peers acknowledge a 2xx with the branch of the INVITE.
    if (transaction === undefined || transaction.state === 'accepted') this.#handler().ack(request, flow);
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const key = serverKey(request, request.method);
    const known = this.#servers.get(key);
    if (known !== undefined) {
      known.receive(request);
      return;
    }
    const merged = request.method === 'CANCEL' ? undefined : mergeKey(request);
    if (this.#isExcessive(request, flow)) return;
    const refusal = this.#refusal(request, merged);
    if (refusal !== undefined) {
      this.respondStateless(refusal, request, flow);
      return;
    }
    this.#dispatch(this.#createServer(request, flow, { key, mergeKey: merged }));
  }

  /** What belongs to a dialog or cancels frees what is held; only new requests are counted. */
  #isExcessive(request: SipRequest, flow: Flow): boolean {
    if (request.method === 'CANCEL' || tagOf(request.to) !== undefined) return false;
    const { limits, excessive } = this.#admission;
    const { address } = flow.remote;
    const reason = limits.excess(address, request.method === 'INVITE');
    if (reason === undefined) return false;
    excessive(reason, request, flow);
    if (limits.mayRefuse(address)) this.respondStateless(unavailable(request), request, flow);
    return true;
  }

  #refusal(request: SipRequest, merged: string | undefined): OutgoingResponse | undefined {
    if (this.#servers.size >= maxServerTransactions) return unavailable(request);
    // RFC 3261 section 8.2.2.2: the same request came by two ways.
    if (merged !== undefined && this.#merges.has(merged)) return buildResponse(request, 482);
    return undefined;
  }

  #createServer(
    request: SipRequest,
    flow: Flow,
    keys: { key: string; mergeKey: string | undefined },
  ): ServerTransaction {
    const send = (bytes: Buffer, failed: () => void) => {
      this.#sendResponse(bytes, request, flow, failed);
      if (transaction.state !== 'proceeding') this.#answered(transaction);
    };
    const isInvite = request.method === 'INVITE';
    const transaction: ServerTransaction = isInvite
      ? new InviteServerTransaction(this.context, keys, request, flow, send)
      : new NonInviteServerTransaction(this.context, keys, request, flow, send);
    this.#servers.set(keys.key, transaction);
    if (keys.mergeKey !== undefined) this.#merges.set(keys.mergeKey, transaction);
    if (isInvite && tagOf(request.to) === undefined) {
      this.#unanswered.add(transaction);
      this.#admission.limits.inviteOpened(flow.remote.address);
    }
    return transaction;
  }

  /** A call has its final answer, or never will. */
  #answered(transaction: ServerTransaction): void {
    if (this.#unanswered.delete(transaction))
      this.#admission.limits.inviteClosed(transaction.flow.remote.address);
  }

  #dispatch(transaction: ServerTransaction): void {
    if (transaction instanceof InviteServerTransaction) this.#handler().invite(transaction);
    else if (transaction.request.method === 'CANCEL')
      this.#handler().cancel(transaction, this.#cancelled(transaction));
    else this.#handler().request(transaction);
  }

  /** RFC 3261 section 9.2: the CANCEL's key with the method of what it cancels. */
  #cancelled(transaction: NonInviteServerTransaction): InviteServerTransaction | undefined {
    const found = this.#servers.get(serverKey(transaction.request, 'INVITE'));
    return found instanceof InviteServerTransaction ? found : undefined;
  }

  /** RFC 3261 section 18.2.2: by the connection the request came on; when that is gone, by a new one. */
  #sendResponse(bytes: Buffer, request: { via: SipRequest['via'] }, flow: Flow, failed: () => void): void {
    const target: Endpoint = responseEndpoint(flow.remote, request.via);
    const route =
      flow.reliable && flow.open
        ? flow
        : (flow.sibling?.(target) ?? this.#transports.flowTo(reopened(flow, target, request)));
    if (route === undefined) failed();
    else route.send(bytes, failed);
  }

  #remove(transaction: Transaction): void {
    if (this.#clients.get(transaction.key) === transaction) this.#clients.delete(transaction.key);
    const server = this.#servers.get(transaction.key);
    if (server !== undefined && server === transaction) {
      this.#answered(server);
      this.#servers.delete(transaction.key);
      if (server.mergeKey !== undefined) this.#merges.delete(server.mergeKey);
    }
  }
}

function unavailable(request: SipRequest): OutgoingResponse {
  return buildResponse(request, 503, { toTag: newId(), headers: [{ name: 'Retry-After', value: '5' }] });
}

/** Via, Max-Forwards and Content-Length come on top of what the draft holds: about 150 bytes. */
function requestBytes({ uri, headers, body }: RequestDraft): number {
  const fixed = 150 + uri.length + (body === undefined ? 0 : Buffer.byteLength(body.content));
  return headers.reduce((sum, { name, value }) => sum + name.length + value.length + 4, fixed);
}

/** A closed connection's port was a passing one: a new connection goes to the port of the Via. */
function reopened(flow: Flow, target: Endpoint, request: { via: SipRequest['via'] }): Endpoint {
  return flow.reliable ? { ...target, port: request.via.port ?? 5060 } : target;
}
