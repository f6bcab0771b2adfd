import { isSendable, mediaAddress } from './direction.ts';
import { attributeValue, type MediaDescription, type SessionDescription } from './session-description.ts';

/** How RTCP travels; `remote` is undefined while unknown, and with `mux` it is that of RTP. */
export interface NegotiatedRtcp {
  mux: boolean;
  remote?: { address: string; port: number };
}

export function wantsRtcpMux(media: MediaDescription): boolean {
  return attributeValue(media, 'rtcp-mux') !== undefined;
}

/** Where the writer of the description wants RTCP: with RTP, else as `a=rtcp` says (RFC 3605), else one port above RTP. */
export function negotiatedRtcp(
  session: SessionDescription,
  media: MediaDescription,
  mux: boolean,
): NegotiatedRtcp {
  const rtp = mediaAddress(session, media);
  if (!rtp) return { mux };
  const remote = mux ? rtp : rtcpAddress(media, rtp);
  return remote ? { mux, remote } : { mux };
}

function rtcpAddress(
  media: MediaDescription,
  rtp: { address: string; port: number },
): { address: string; port: number } | undefined {
  const stated = /^(\d{1,5})(?:\s+IN\s+IP[46]\s+(\S+))?$/i.exec(attributeValue(media, 'rtcp') ?? '');
  const port = stated ? Number(stated[1]) : rtp.port + 1;
  if (port < 1 || port > 65_535) return undefined;
  const address = stated?.[2] ?? rtp.address;
  return { address: isSendable(address) ? address : rtp.address, port };
}
