import type { LegReport, NegotiatedCodec, SrtpSuite } from '../media/control.ts';
import type { NegotiatedMedia } from '../sdp/negotiation.ts';
import type { MessageEndpoint } from './message-log.ts';

/** What was agreed about a leg's media, from a moment on. */
export interface AgreedMedia {
  /** Since the leg's beginning. */
  atMs: number;
  codec: NegotiatedCodec['codec'];
  payloadType: number;
  clockRateHz: number;
  ptimeMs: number;
  /** Ours. */
  direction: NegotiatedMedia['direction'];
  srtp: SrtpSuite | null;
  /** Where the peer says that it listens. */
  remote: MessageEndpoint | null;
}

/** A leg's media, as far as it is known. Plain data, kept with the connection. */
export interface LegMedia {
  /** Where we told the peer to send to. */
  local?: MessageEndpoint;
  /** Where its first packet came from. */
  seen?: MessageEndpoint & { atMs: number };
  agreed: AgreedMedia[];
  /** The worker's figures, once the leg is closed. */
  report?: LegReport;
}

/** Of an agreement that changes all the time, the first ones and the latest. */
const maxAgreements = 32;

export function addAgreement(media: LegMedia, negotiated: NegotiatedMedia, atMs: number): void {
  const { send, ptimeMs, direction, srtp, remote } = negotiated;
  const { codec, payloadType, clockRateHz } = send;
  const agreement: AgreedMedia = {
    atMs,
    codec,
    payloadType,
    clockRateHz,
    ptimeMs,
    direction,
    srtp: srtp?.send.suite ?? null,
    remote: remote ? { address: remote.address, port: remote.port } : null,
  };
  const last = media.agreed.at(-1);
  if (last && JSON.stringify({ ...last, atMs }) === JSON.stringify(agreement)) return;
  if (media.agreed.length === maxAgreements) media.agreed.splice(maxAgreements / 2, 1);
  media.agreed.push(agreement);
}

/** Whether media went one way only; null for both ways, for none at all, and while nobody knows. */
export function oneWay({ report }: LegMedia): 'received' | 'sent' | null {
  if (!report) return null;
  const { received, sent } = report;
  if (received.packets > 0 === sent.packets > 0) return null;
  return received.packets > 0 ? 'received' : 'sent';
}
