import type { SrtpKey, SrtpSuite } from '../sdp/srtp-parameters.ts';
import { AesCmTransform } from './srtp-aes-cm.ts';
import { AesGcmTransform } from './srtp-aes-gcm.ts';
import { deriveSessionKeys, srtpSuites } from './srtp-session-keys.ts';
import type { SrtpTransform } from './srtp-transform.ts';

/** @throws CallreelError SDP_INVALID for a key of another length */
export function createSrtpTransform(suite: SrtpSuite, key: SrtpKey): SrtpTransform {
  const parameters = srtpSuites[suite];
  const keys = deriveSessionKeys(suite, key);
  const mki = mkiBytes(key.mki);
  return parameters.aead
    ? new AesGcmTransform(keys, mki)
    : new AesCmTransform(keys, parameters.rtpTagBytes, parameters.rtcpTagBytes, mki);
}

function mkiBytes(mki: SrtpKey['mki']): Uint8Array {
  if (!mki) return new Uint8Array(0);
  return Buffer.from(mki.value.padStart(2 * mki.bytes, '0').slice(-2 * mki.bytes), 'hex');
}
