import { randomInt } from 'node:crypto';
import { headerValues, type SipMessage, type SipRequest, type SipResponse } from './message.ts';
import { parseNameAddress, tagOf } from './name-address.ts';
import { nextHopOf, routed } from './route-set.ts';
import type { RequestDraft, SipBody } from './serializer.ts';
import type { SipHeader } from './session.ts';
import { parseSipUri } from './uri.ts';

/** Below 2^31 with room for every request of a long call (RFC 3261 section 8.1.1.5). */
export function initialSequence(): number {
  return randomInt(1, 65_536);
}

interface DialogParts {
  callId: string;
  localTag: string;
  remoteTag: string;
  /** From or To of ours and of theirs, as they stand in our requests, tags included. */
  local: string;
  remote: string;
  remoteTarget: string;
  routeSet: readonly string[];
  localSequence: number;
  remoteSequence: number | undefined;
}

/** A peer-to-peer relation (RFC 3261 section 12): who, where to, by which route, and the order of requests. */
export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly #local: string;
  readonly #remote: string;
  #routeSet: readonly string[];
  #remoteTarget: string;
  #localSequence: number;
  #remoteSequence: number | undefined;

  constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.localTag = parts.localTag;
    this.remoteTag = parts.remoteTag;
    this.#local = parts.local;
    this.#remote = parts.remote;
    this.#remoteTarget = parts.remoteTarget;
    this.#routeSet = parts.routeSet;
    this.#localSequence = parts.localSequence;
    this.#remoteSequence = parts.remoteSequence;
  }

  /** Section 12.1.1: we answered the INVITE. */
  static forServer(request: SipRequest, localTag: string): Dialog {
    return new Dialog({
      callId: request.callId,
      localTag,
      remoteTag: tagOf(request.from) ?? '',
      local: `${rawHeader(request, 'to')};tag=${localTag}`,
      remote: rawHeader(request, 'from'),
      remoteTarget: contactUri(request) ?? request.from.uri,
      routeSet: headerValues(request, 'record-route'),
      localSequence: initialSequence(),
      remoteSequence: request.cseq.sequence,
    });
  }

  /** Section 12.1.2: we sent the INVITE; the response carries the peer's tag. */
  static forClient(draft: RequestDraft, response: SipResponse): Dialog {
    return new Dialog({
      callId: response.callId,
      localTag: tagOf(response.from) ?? '',
      remoteTag: tagOf(response.to) ?? '',
      local: rawHeader(response, 'from'),
      remote: rawHeader(response, 'to'),
      remoteTarget: contactUri(response) ?? draft.uri,
      routeSet: headerValues(response, 'record-route').reverse(),
      localSequence: response.cseq.sequence,
      remoteSequence: undefined,
    });
  }

  /** Section 12.2.2: false for a request older than the last one. Remembers the number otherwise. */
  inOrder(request: SipRequest): boolean {
    const { sequence } = request.cseq;
    if (this.#remoteSequence !== undefined && sequence < this.#remoteSequence) return false;
    this.#remoteSequence = sequence;
    return true;
  }

  /** A target refresh: the Contact of a re-INVITE, an UPDATE or a 2xx to one of them. */
  refreshTarget(message: SipMessage): void {
    this.#remoteTarget = contactUri(message) ?? this.#remoteTarget;
  }

  /** Section 13.2.2.4: the 2xx has the last word on target and route of an early dialog. */
  confirm(response: SipResponse): void {
    this.#routeSet = headerValues(response, 'record-route').reverse();
    this.refreshTarget(response);
  }

  /** Where the next request is sent: the first route, else the remote target (section 12.2.1.1). */
  get nextHop(): string {
    return nextHopOf(this.#remoteTarget, this.#routeSet);
  }

  /** Whether proxies asked to stay between us and the peer. */
  get routed(): boolean {
    return this.#routeSet.length > 0;
  }

  /** A request of ours; an ACK carries the number of its INVITE. */
  draft(
    method: string,
    options: { headers?: readonly SipHeader[]; body?: SipBody | undefined; sequence?: number } = {},
  ): RequestDraft {
    const sequence = options.sequence ?? ++this.#localSequence;
    const { uri, routes } = routed(this.#remoteTarget, this.#routeSet);
    const headers: SipHeader[] = [
      ...routes.map((value) => ({ name: 'Route', value })),
      { name: 'From', value: this.#local },
      { name: 'To', value: this.#remote },
      { name: 'Call-ID', value: this.callId },
      { name: 'CSeq', value: `${sequence} ${method}` },
      ...(options.headers ?? []),
    ];
    return { method, uri, headers, body: options.body };
  }
}

function rawHeader(message: SipMessage, key: 'from' | 'to'): string {
  return message.headers.find((header) => header.key === key)?.value ?? '';
}

/** The Contact's URI where it is one that requests can be sent to. */
function contactUri(message: SipMessage): string | undefined {
  const [first] = headerValues(message, 'contact');
  const address = first === undefined ? undefined : parseNameAddress(first);
  return address !== undefined && parseSipUri(address.uri) !== undefined ? address.uri : undefined;
}
