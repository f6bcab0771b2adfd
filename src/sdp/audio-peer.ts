import { isIP } from 'node:net';
import type { SessionDescription } from './session-description.ts';

const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Whom our media address is for: the peer of the signalling, as its NAT shows it; the address that its offer wants the
 * audio at where that is of the other family, so that a media host of one family alone is answered in it.
 */
export function audioPeer(peerAddress: string, offer: SessionDescription): string {
  const offered = audioAddress(offer);
  return offered !== undefined && isIP(offered) !== isIP(peerAddress) ? offered : peerAddress;
}

/** Undefined where it names none. */
function audioAddress({ media, connection }: SessionDescription): string | undefined {
  const audio = media.find(({ kind, port }) => kind === 'audio' && port > 0);
  if (!audio) return undefined;
  const address = (audio.connection ?? connection)?.address;
  return address !== undefined && isIP(address) > 0 && !unspecified.has(address) ? address : undefined;
}
