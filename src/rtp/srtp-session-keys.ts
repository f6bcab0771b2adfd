import { createCipheriv } from 'node:crypto';
import { CallreelError } from '../errors.ts';
import type { SrtpKey, SrtpSuite } from '../sdp/srtp-parameters.ts';

/** What one direction of RTP or RTCP is protected with. */
export interface SessionKeys {
  cipherKey: Uint8Array;
  /** 14 bytes for AES-CM, 12 for AES-GCM. */
  salt: Uint8Array;
  /** HMAC-SHA1; empty where the cipher itself authenticates. */
  authenticationKey: Uint8Array;
}

interface SuiteParameters {
  aead: boolean;
  saltBytes: number;
  authenticationKeyBytes: number;
  rtpTagBytes: number;
  rtcpTagBytes: number;
}

const masterKeyBytes = 16;

/** RFC 4568 section 6.2 (the short tag is for RTP alone), RFC 7714 sections 12 and 13. */
export const srtpSuites: Readonly<Record<SrtpSuite, SuiteParameters>> = {
  AES_CM_128_HMAC_SHA1_80: {
    aead: false,
    saltBytes: 14,
    authenticationKeyBytes: 20,
    rtpTagBytes: 10,
    rtcpTagBytes: 10,
  },
  AES_CM_128_HMAC_SHA1_32: {
    aead: false,
    saltBytes: 14,
    authenticationKeyBytes: 20,
    rtpTagBytes: 4,
    rtcpTagBytes: 10,
  },
  AEAD_AES_128_GCM: {
    aead: true,
    saltBytes: 12,
    authenticationKeyBytes: 0,
    rtpTagBytes: 16,
    rtcpTagBytes: 16,
  },
};

const rtpLabels = { cipher: 0, authentication: 1, salt: 2 };
const rtcpLabels = { cipher: 3, authentication: 4, salt: 5 };

/**
 * One value of the key derivation of RFC 3711 section 4.3, at a key derivation rate of 0.
 * @param masterSalt 14 bytes; a shorter one is filled up with zeros (RFC 7714 section 11)
 */
export function deriveSessionKey(
  masterKey: Uint8Array,
  masterSalt: Uint8Array,
  label: number,
  bytes: number,
): Uint8Array {
  const counter = new Uint8Array(16);
  counter.set(masterSalt);
  counter[7]! ^= label;
  const cipher = createCipheriv('aes-128-ctr', masterKey, counter);
  return new Uint8Array(cipher.update(new Uint8Array(bytes)));
}

/** @throws CallreelError SDP_INVALID for a key of another length */
export function deriveSessionKeys(
  suite: SrtpSuite,
  { keySalt }: SrtpKey,
): { rtp: SessionKeys; rtcp: SessionKeys } {
  const { saltBytes, authenticationKeyBytes } = srtpSuites[suite];
  const master = Buffer.from(keySalt, 'base64');
  if (master.length !== masterKeyBytes + saltBytes)
    throw new CallreelError('SDP_INVALID', `a key of ${suite} has ${masterKeyBytes + saltBytes} bytes`);
  const masterKey = master.subarray(0, masterKeyBytes);
  const masterSalt = master.subarray(masterKeyBytes);
  const derive = (label: number, bytes: number): Uint8Array =>
    deriveSessionKey(masterKey, masterSalt, label, bytes);
  const all = (labels: typeof rtpLabels): SessionKeys => ({
    cipherKey: derive(labels.cipher, masterKeyBytes),
    salt: derive(labels.salt, saltBytes),
    authenticationKey: derive(labels.authentication, authenticationKeyBytes),
  });
  return { rtp: all(rtpLabels), rtcp: all(rtcpLabels) };
}
