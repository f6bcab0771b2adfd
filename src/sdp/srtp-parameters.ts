/** What two sides agree about SRTP by session descriptions (RFC 4568). */

/** RFC 4568 section 6.2, RFC 7714 section 14.2. */
export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM';

/** Master key and master salt; the order is that of our preference. */
export const srtpKeyBytes: Readonly<Record<SrtpSuite, number>> = {
  AEAD_AES_128_GCM: 16 + 12,
  AES_CM_128_HMAC_SHA1_80: 16 + 14,
  AES_CM_128_HMAC_SHA1_32: 16 + 14,
};

export const srtpSuiteNames = Object.keys(srtpKeyBytes) as readonly SrtpSuite[];

/** One master key of a stream; lives in memory only. */
export interface SrtpKey {
  /** Master key and master salt one after the other, base64. */
  keySalt: string;
  /** Master key identifier that stands behind each packet; `value` in hexadecimal, `bytes` long. */
  mki?: { value: string; bytes: number };
}

/** One direction. */
export interface SrtpKeys {
  suite: SrtpSuite;
  /** Several only where each has its own identifier. */
  keys: SrtpKey[];
}

export interface NegotiatedSrtp {
  send: { suite: SrtpSuite; key: SrtpKey };
  receive: SrtpKeys;
}

/**
 * `off`: plain RTP only; `optional`: as the peer likes it; `required`: plain RTP is neither offered nor taken.
 */
export type SrtpPolicy = 'off' | 'optional' | 'required';
