import { createCipheriv, createHmac } from 'node:crypto';
import { phoneSessionKeys } from './phone-srtp.ts';

type Keys = ReturnType<typeof phoneSessionKeys>;

const headerBytes = 8;
const indexBytes = 4;
/** Of both suites: the short tag is for RTP alone (RFC 4568 section 6.2.2). */
const tagBytes = 10;
const encryptedFlag = 0x8000_0000;
/** RFC 3711 section 4.3.2. */
const firstLabel = 3;

/** SRTCP of AES_CM_128_HMAC_SHA1_80 and _32 (RFC 3711 section 3.4), as a second opinion like `PhoneSrtp`. */
export class PhoneSrtcp {
  readonly #own: Keys;
  readonly #peer: Keys;
  #index = 0;

  /** @param ownKey @param peerKey master key and salt, base64 */
  constructor(ownKey: string, peerKey: string) {
    this.#own = phoneSessionKeys(Buffer.from(ownKey, 'base64'), firstLabel);
    this.#peer = phoneSessionKeys(Buffer.from(peerKey, 'base64'), firstLabel);
  }

  seal(compound: Uint8Array): Uint8Array {
    const trailer = Buffer.alloc(indexBytes);
    trailer.writeUInt32BE(encryptedFlag + this.#index);
    const sealed = Buffer.concat([crypt(this.#own, compound, this.#index++), trailer]);
    return Buffer.concat([sealed, tagOf(this.#own, sealed)]);
  }

  /** @returns undefined for what is not authentic */
  open(packet: Uint8Array): Uint8Array | undefined {
    const data = Buffer.from(packet);
    const end = data.length - tagBytes;
    if (end < headerBytes + indexBytes) return undefined;
    if (!tagOf(this.#peer, data.subarray(0, end)).equals(data.subarray(end))) return undefined;
    const trailer = data.readUInt32BE(end - indexBytes);
    const body = data.subarray(0, end - indexBytes);
    return trailer >= encryptedFlag ? crypt(this.#peer, body, trailer - encryptedFlag) : body;
  }
}

/** RFC 3711 section 4.1.1; the header stays as it is. */
function crypt(keys: Keys, compound: Uint8Array, index: number): Buffer {
  const data = Buffer.from(compound);
  const salt = BigInt(`0x${keys.salt.toString('hex')}`);
  const iv = (salt << 16n) ^ (BigInt(data.readUInt32BE(4)) << 64n) ^ (BigInt(index) << 16n);
  const counter = Buffer.from(iv.toString(16).padStart(32, '0'), 'hex');
  const cipher = createCipheriv('aes-128-ctr', keys.cipher, counter);
  return Buffer.concat([data.subarray(0, headerBytes), cipher.update(data.subarray(headerBytes))]);
}

function tagOf(keys: Keys, authenticated: Uint8Array): Buffer {
  return createHmac('sha1', keys.authentication).update(authenticated).digest().subarray(0, tagBytes);
}
