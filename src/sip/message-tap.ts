import type { Flow } from './transport.ts';

export type TapDirection = 'received' | 'sent';

/**
 * Is shown every message at the sockets, as it is on the wire: retransmissions, and what is no SIP, too. Keep-alives
 * and what a source sent in excess are left out. The bytes are good until it returns; it must not throw.
 */
export type MessageTap = (
  direction: TapDirection,
  bytes: Uint8Array,
  flow: Pick<Flow, 'transport' | 'remote' | 'local'>,
) => void;
