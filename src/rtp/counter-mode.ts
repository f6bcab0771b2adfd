import type { SessionKeys } from './srtp-session-keys.ts';

/** AES-128 in counter mode and HMAC-SHA1 with the keys of one direction (RFC 3711 sections 4.1.1 and 4.2.1). */
export interface CounterMode {
  /** Encrypts or decrypts `from` to `to` in place; the packet's index is `roc` * 2^16 + `sequence`. */
  crypt(packet: Uint8Array, from: number, to: number, ssrc: number, roc: number, sequence: number): void;
  /**
   * Of the first `bytes`, and of the rollover counter for RTP.
   * @returns 20 bytes, good until the next tag is made
   */
  tag(packet: Uint8Array, bytes: number, roc: number | undefined): Uint8Array;
}

export type NewCounterMode = (keys: SessionKeys) => CounterMode;
