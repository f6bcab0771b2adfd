import { sdpType } from './body.ts';
import { allowedMethods, allowHeader, supportedHeader } from './capabilities.ts';
import type { ClientCredentials } from './digest-client.ts';
import type { NameAddress } from './name-address.ts';
import type { RedirectConsent } from './redirect.ts';
import { routed } from './route-set.ts';
import type { RequestDraft } from './serializer.ts';
import type { SipHeader, SipSessionHandlers } from './session.ts';
import type { Endpoint } from './transport.ts';

/** A call of ours, as it was asked for. */
export interface OutgoingCall {
  readonly requestUri: string;
  readonly from: NameAddress;
  readonly fromText: string;
  readonly to: NameAddress;
  readonly toText: string;
  /** The first one. Without it, the 2xx brings the peer's offer. */
  readonly offer: string | undefined;
  readonly headers: readonly SipHeader[];
  readonly credentials: ClientCredentials | undefined;
  readonly handlers: SipSessionHandlers;
  /** The request URI does not say where the call goes: what belongs to it goes the same way. */
  readonly viaNextHop: boolean;
  /** Values of Route: the way that the INVITE takes (Service-Route, or the Path of a binding). */
  readonly route: readonly string[];
  /** Without it no redirection is followed. */
  readonly redirect: RedirectConsent | undefined;
  /** Of its INVITEs; of a call that goes on with another one less than that one had (RFC 7332 section 3). */
  readonly maxForwards?: number | undefined;
  /** Best knowledge of the peer's address before it is resolved. */
  readonly peer: Endpoint;
}

/** What one INVITE of a call has of its own. */
export interface InviteParts {
  readonly target: { readonly uri: string; readonly route: readonly string[] };
  readonly callId: string;
  readonly localTag: string;
  readonly sequence: number;
  readonly offer: string | undefined;
  readonly contact: SipHeader;
  /** Of the session timer. */
  readonly timer: readonly SipHeader[];
  /** Credentials. */
  readonly extra: readonly SipHeader[];
}

/** RFC 3261 section 13.2.1. */
export function inviteDraft(call: OutgoingCall, parts: InviteParts): RequestDraft {
  const { fromText, toText } = call;
  const { target, callId, localTag, sequence, offer, contact, timer, extra } = parts;
  const { uri, routes } = routed(target.uri, target.route);
  return {
    method: 'INVITE',
    uri,
    headers: [
      ...routes.map((value) => ({ name: 'Route', value })),
      { name: 'From', value: `${fromText};tag=${localTag}` },
      { name: 'To', value: toText },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: `${sequence} INVITE` },
      contact,
      allowHeader(allowedMethods),
      supportedHeader(['100rel', 'timer', 'replaces', 'norefersub']),
      ...timer,
      ...call.headers,
      ...extra,
    ],
    body: offer === undefined ? undefined : { contentType: sdpType, content: offer },
    maxForwards: call.maxForwards,
  };
}
