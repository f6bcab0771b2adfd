import type { Clock } from '../clock.ts';
import type { HeaderField, SipRequest, SipResponse } from './message.ts';
import { tagOf } from './name-address.ts';
import { type RequestDraft, serializeRequest } from './serializer.ts';
import type { SipTimers } from './timers.ts';
import type { Flow } from './transport.ts';
import { magicCookie } from './via.ts';

/** What the four machines need from the layer that holds them. */
export interface TransactionContext {
  readonly clock: Clock;
  readonly timers: SipTimers;
  /** Called once, when the machine reached its last state. */
  terminated(transaction: Transaction): void;
}

export interface Transaction {
  /** Key in the table of its side. */
  readonly key: string;
  readonly state: string;
  /** Nothing more is expected of the peer: waiting for it would only absorb retransmissions. */
  readonly settled: boolean;
  /** Stops every timer and leaves the table, telling nobody else. */
  terminate(): void;
}

/** Whoever started a client transaction. */
export interface ClientTransactionUser {
  response(response: SipResponse): void;
  /** No final response came, or the request could not be sent. Nothing follows. */
  failed(cause: 'timeout' | 'transport'): void;
}

/** A request with the Via and the flow it leaves by. */
export interface SentRequest {
  readonly draft: RequestDraft;
  readonly via: string;
  readonly branch: string;
  readonly flow: Flow;
  readonly bytes: Buffer;
}

/** RFC 3261 section 17.1.3: branch and method of CSeq. */
export function clientKey(branch: string, method: string): string {
  return `${branch} ${method}`;
}

/**
 * RFC 3261 section 17.2.3: branch, sent-by and method, an ACK under its INVITE. Without the magic cookie the
 * rules of RFC 2543 apply; so do they for a branch that is nothing but the cookie.
 */
export function serverKey(request: SipRequest, method: string): string {
  const { via } = request;
  const branch = via.parameters.get('branch');
  const of = method === 'ACK' ? 'INVITE' : method;
  if (branch !== undefined && branch.length > magicCookie.length && branch.startsWith(magicCookie))
    return `${branch} ${via.host}:${via.port ?? ''} ${of}`;
  const { callId, cseq, from, uri } = request;
  return `2543 ${callId} ${cseq.sequence} ${tagOf(from) ?? ''} ${uri} ${via.host}:${via.port ?? ''} ${branch ?? ''} ${of}`;
}

/** Same call, same sender, same request by another way (RFC 3261 section 8.2.2.2); undefined inside a dialog. */
export function mergeKey(request: SipRequest): string | undefined {
  if (tagOf(request.to) !== undefined) return undefined;
  return `${request.callId} ${tagOf(request.from) ?? ''} ${request.cseq.sequence} ${request.cseq.method}`;
}

const hopByHop = new Set(['from', 'call-id', 'route']);

/**
 * ACK to a non-2xx (RFC 3261 section 17.1.1.3) and CANCEL (section 9.1): same Request-URI, Via, From, Call-ID, CSeq
 * number and Route as the request; To as given.
 */
export function companionBytes(method: 'ACK' | 'CANCEL', sent: SentRequest, to?: HeaderField): Buffer {
  const headers = sent.draft.headers.flatMap((header) => {
    const name = header.name.toLowerCase();
    if (name === 'to') return [to ?? header];
    if (name === 'cseq') return [{ name: 'CSeq', value: `${header.value.split(' ')[0]} ${method}` }];
    return hopByHop.has(name) ? [header] : [];
  });
  return serializeRequest({ method, uri: sent.draft.uri, headers }, sent.via);
}
