import { newId } from '../ids.ts';
import { acceptedTypes, mediaType, sdpType, takesSessionDescription } from './body.ts';
import {
  allowedMethods,
  allowHeader,
  capabilityHeaders,
  methodRefusal,
  unsupportedOptions,
} from './capabilities.ts';
import { IncomingSession } from './incoming-session.ts';
import type { InviteSession } from './invite-session.ts';
import { headerValue, headerValues, type SipRequest } from './message.ts';
import { tagOf } from './name-address.ts';
import type { Registrar } from './registrar.ts';
import { replacedSession } from './replaced-session.ts';
import { retryAfter } from './retry-after.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import type { SipHeader, SipSession } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { answerTimer, type SessionTimerPolicy } from './session-expires.ts';
import type { InviteServerTransaction } from './transaction-invite-server.ts';
import type { RequestHandler, ServerTransaction } from './transaction-layer.ts';
import type { NonInviteServerTransaction } from './transaction-non-invite-server.ts';
import type { Flow } from './transport.ts';
import { schemeOf } from './uri.ts';

/** Whether one more call would harm those that are here. */
export interface CallAdmission {
  readonly isFull: boolean;
  /** Asked once for each call. */
  admits(): boolean;
}

export interface RequestServerOptions {
  context: SessionContext;
  /** By our tag. */
  sessions: Map<string, InviteSession>;
  registrar: Registrar | undefined;
  onInvite(session: SipSession): void;
  /** False while draining or full. */
  takesCalls(): boolean;
  admission: CallAdmission;
}

interface Refusal {
  status: number;
  headers: SipHeader[];
}

const knownSchemes = new Set(['sip', 'sips', 'tel']);

/** The server side of a user agent (RFC 3261 section 8.2): checks in the order of the RFC, then hands on. */
export class RequestServer implements RequestHandler {
  readonly #options: RequestServerOptions;
  readonly #methods: readonly string[];

  constructor(options: RequestServerOptions) {
    this.#options = options;
    this.#methods = options.registrar === undefined ? allowedMethods : [...allowedMethods, 'REGISTER'];
  }

  invite(transaction: InviteServerTransaction): void {
    const { request } = transaction;
    if (this.#refuse(transaction, inspect(request, this.#methods))) return;
    if (tagOf(request.to) !== undefined) {
      this.#inDialog(transaction);
      return;
    }
    if (this.#refuse(transaction, inspectBody(request))) return;
    if (this.#refuse(transaction, inspectTimer(request, this.#options.context.sessionTimer))) return;
    const replaced = replacedSession(request, this.#options.sessions);
    // Who takes the place of a call that is here is no call more.
    const isOneMore = replaced === undefined;
    if (!this.#options.takesCalls() || (isOneMore && !this.#options.admission.admits())) {
      respond(transaction, 503, { headers: [retryAfter] });
      return;
    }
    if (typeof replaced === 'number') {
      respond(transaction, replaced);
      return;
    }
    transaction.respond(buildResponse(request, 100));
    const session = new IncomingSession(this.#options.context, transaction, replaced);
    this.#options.sessions.set(session.localTag, session);
    try {
      this.#options.onInvite(session);
    } catch (error) {
      this.#options.context.log('error', 'onInvite threw', { callId: session.callId, error });
      session.reject({ status: 500 });
    }
  }

  ack(request: SipRequest): void {
    this.#options.sessions.get(tagOf(request.to) ?? '')?.receiveAck(request);
  }

  cancel(transaction: NonInviteServerTransaction, invite: InviteServerTransaction | undefined): void {
    respond(transaction, invite === undefined ? 481 : 200);
    invite?.user?.cancelled(transaction.request);
  }

  request(transaction: NonInviteServerTransaction): void {
    const { request, flow } = transaction;
    if (this.#refuse(transaction, inspect(request, this.#methods))) return;
    if (tagOf(request.to) !== undefined) {
      this.#inDialog(transaction);
      return;
    }
    if (request.method === 'OPTIONS') this.#answerOptions(transaction);
    else if (request.method === 'REGISTER') this.#register(transaction, flow);
    // A call is transferred by who is in it; anybody else would dial on our account.
    else respond(transaction, request.method === 'REFER' ? 403 : 481);
  }

  #inDialog(transaction: ServerTransaction): void {
    const session = this.#options.sessions.get(tagOf(transaction.request.to) ?? '');
    const dialog = session?.dialogOf(transaction.request);
    if (session === undefined || dialog === undefined) respond(transaction, 481);
    else session.receive(transaction, dialog);
  }

  /** RFC 3261 section 11.2: what an INVITE would be answered, so that a balancer sees a node that drains or is full. */
  #answerOptions(transaction: ServerTransaction): void {
    const { takesCalls, admission } = this.#options;
    if (takesCalls() && !admission.isFull)
      respond(transaction, 200, { headers: capabilityHeaders(this.#methods) });
    else respond(transaction, 503, { headers: [retryAfter] });
  }

  #register(transaction: NonInviteServerTransaction, flow: Flow): void {
    const { registrar, context } = this.#options;
    registrar
      ?.handle(transaction.request, flow.remote)
      .then(({ status, reason, headers }) => respond(transaction, status, { reason, headers }))
      .catch((error) => {
        context.log('error', 'the registrar failed', { callId: transaction.request.callId, error });
        respond(transaction, 500);
      });
  }

  #refuse(transaction: ServerTransaction, refusal: Refusal | undefined): boolean {
    if (refusal === undefined) return false;
    respond(transaction, refusal.status, { headers: refusal.headers });
    return true;
  }
}

function respond(transaction: ServerTransaction, status: number, options: ResponseOptions = {}): void {
  transaction.respond(buildResponse(transaction.request, status, { toTag: newId(), ...options }));
}

/** Sections 8.2.1 to 8.2.2: method, Request-URI, extensions. */
function inspect(request: SipRequest, methods: readonly string[]): Refusal | undefined {
  const status = methodRefusal(request.method, methods);
  if (status !== undefined) return { status, headers: [allowHeader(methods)] };
  if (!knownSchemes.has(schemeOf(request.uri) ?? '')) return { status: 416, headers: [] };
  const unsupported = unsupportedOptions(headerValues(request, 'require'), request.method);
  if (unsupported.length === 0) return undefined;
  return { status: 420, headers: [{ name: 'Unsupported', value: unsupported.join(', ') }] };
}

/** Section 8.2.3: the content. */
function inspectBody(request: SipRequest): Refusal | undefined {
  const encoding = headerValue(request, 'content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return { status: 415, headers: [{ name: 'Accept-Encoding', value: 'identity' }] };
  if (!takesSessionDescription(request)) return { status: 406, headers: [] };
  const type = mediaType(request);
  if (type === undefined || type === sdpType || type.startsWith('multipart/')) return undefined;
  return { status: 415, headers: [{ name: 'Accept', value: acceptedTypes }] };
}

/** RFC 4028 section 9: an interval that would have us refresh all the time. */
function inspectTimer(request: SipRequest, policy: SessionTimerPolicy): Refusal | undefined {
  const timer = answerTimer(request, policy, undefined);
  return timer.status === undefined ? undefined : timer;
}
