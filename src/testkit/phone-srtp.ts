import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

/**
 * SRTP as the RFCs write it down, packet by packet and without regard to cost: a second opinion on the one under test,
 * with which it shares no code.
 */
export type PhoneSrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM';

/** Bytes of master key and salt. */
export const phoneSrtpKeyBytes: Readonly<Record<PhoneSrtpSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AEAD_AES_128_GCM: 28,
};

interface Keys {
  cipher: Buffer;
  authentication: Buffer;
  salt: Buffer;
}

/** The rollover counter of one source (RFC 3711 section 3.3.1). */
interface Rollover {
  roc: number;
  highest: number;
}

const headerBytes = 12;

export class PhoneSrtp {
  readonly #suite: PhoneSrtpSuite;
  readonly #own: Keys;
  readonly #peer: Keys;
  readonly #sent = new Map<number, Rollover>();
  readonly #received = new Map<number, Rollover>();

  /** @param ownKey @param peerKey master key and salt, base64 */
  constructor(suite: PhoneSrtpSuite, ownKey: string, peerKey: string) {
    this.#suite = suite;
    this.#own = phoneSessionKeys(Buffer.from(ownKey, 'base64'), 0);
    this.#peer = phoneSessionKeys(Buffer.from(peerKey, 'base64'), 0);
  }

  /** A packet without CSRC and extension, protected. */
  seal(packet: Uint8Array): Uint8Array {
    const data = Buffer.from(packet);
    const [header, payload] = [data.subarray(0, headerBytes), data.subarray(headerBytes)];
    const roc = guess(this.#sent, header, true);
    if (this.#suite === 'AEAD_AES_128_GCM') {
      const cipher = createCipheriv('aes-128-gcm', this.#own.cipher, gcmIv(this.#own, header, roc)).setAAD(
        header,
      );
      return Buffer.concat([header, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
    }
    const encrypted = Buffer.concat([header, counterMode(this.#own, header, roc, payload)]);
    return Buffer.concat([encrypted, tag(this.#own, encrypted, roc).subarray(0, this.#tagBytes)]);
  }

  /** @returns undefined for what is not authentic */
  open(packet: Uint8Array): Uint8Array | undefined {
    const data = Buffer.from(packet);
    const end = data.length - this.#tagBytes;
    if (end < headerBytes) return undefined;
    const [header, payload, found] = [
      data.subarray(0, headerBytes),
      data.subarray(headerBytes, end),
      data.subarray(end),
    ];
    const roc = guess(this.#received, header, false);
    let plain: Buffer;
    if (this.#suite === 'AEAD_AES_128_GCM') {
      const decipher = createDecipheriv('aes-128-gcm', this.#peer.cipher, gcmIv(this.#peer, header, roc));
      decipher.setAAD(header).setAuthTag(found);
      plain = decipher.update(payload);
      try {
        decipher.final();
      } catch {
        return undefined;
      }
    } else {
      if (!tag(this.#peer, data.subarray(0, end), roc).subarray(0, this.#tagBytes).equals(found))
        return undefined;
      plain = counterMode(this.#peer, header, roc, payload);
    }
    guess(this.#received, header, true);
    return Buffer.concat([header, plain]);
  }

  get #tagBytes(): number {
    if (this.#suite === 'AEAD_AES_128_GCM') return 16;
    return this.#suite === 'AES_CM_128_HMAC_SHA1_80' ? 10 : 4;
  }
}

/** RFC 3711 section 4.3.1: labels 0 to 2 are for SRTP, 3 to 5 for SRTCP. */
export function phoneSessionKeys(master: Buffer, firstLabel: 0 | 3): Keys {
  const derive = (label: number, bytes: number): Buffer => {
    const input = Buffer.alloc(16);
    master.copy(input, 0, 16);
    input.writeUInt8(input.readUInt8(7) ^ label, 7);
    return createCipheriv('aes-128-ctr', master.subarray(0, 16), input).update(Buffer.alloc(bytes));
  };
  return {
    cipher: derive(firstLabel, 16),
    authentication: derive(firstLabel + 1, 20),
    salt: derive(firstLabel + 2, 14),
  };
}

/** RFC 3711 section 4.1.1. */
function counterMode(keys: Keys, header: Buffer, roc: number, payload: Buffer): Buffer {
  const index = BigInt(roc) * 65_536n + BigInt(header.readUInt16BE(2));
  const ssrc = BigInt(header.readUInt32BE(8));
  const salt = BigInt(`0x${keys.salt.toString('hex')}`);
  const iv = (salt << 16n) ^ (ssrc << 64n) ^ (index << 16n);
  const counter = Buffer.from(iv.toString(16).padStart(32, '0'), 'hex');
  return createCipheriv('aes-128-ctr', keys.cipher, counter).update(payload);
}

/** RFC 7714 section 8.1. */
function gcmIv(keys: Keys, header: Buffer, roc: number): Buffer {
  const index = BigInt(roc) * 65_536n + BigInt(header.readUInt16BE(2));
  const salt = BigInt(`0x${keys.salt.subarray(0, 12).toString('hex')}`);
  const iv = salt ^ (BigInt(header.readUInt32BE(8)) << 48n) ^ index;
  return Buffer.from(iv.toString(16).padStart(24, '0'), 'hex');
}

/** RFC 3711 section 4.2. */
function tag(keys: Keys, authenticated: Buffer, roc: number): Buffer {
  const counter = Buffer.alloc(4);
  counter.writeUInt32BE(roc);
  return createHmac('sha1', keys.authentication).update(authenticated).update(counter).digest();
}

/** RFC 3711 appendix A; `keep`: the packet is genuine. */
function guess(rollovers: Map<number, Rollover>, header: Buffer, keep: boolean): number {
  const sequence = header.readUInt16BE(2);
  const ssrc = header.readUInt32BE(8);
  const known = rollovers.get(ssrc) ?? { roc: 0, highest: sequence };
  let { roc } = known;
  if (sequence - known.highest > 32_768) roc = Math.max(0, roc - 1);
  else if (known.highest - sequence > 32_768) roc++;
  if (!keep) return roc;
  if (roc > known.roc || (roc === known.roc && sequence >= known.highest))
    rollovers.set(ssrc, { roc, highest: sequence });
  return roc;
}
