import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readUint16, readUint32, writeUint32 } from '../big-endian.ts';
import { equalsAt, srtcpIndexBytes, xorUint32 } from './srtp-bytes.ts';
import type { SessionKeys } from './srtp-session-keys.ts';
import type { SrtpTransform } from './srtp-transform.ts';

const algorithm = 'aes-128-gcm';
const tagBytes = 16;
const rtcpHeaderBytes = 8;
const encryptedFlag = 0x8000_0000;

/** AES-GCM (RFC 7714). The key identifier stands behind everything else. */
export class AesGcmTransform implements SrtpTransform {
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;
  readonly #mki: Uint8Array;
  readonly #iv = new Uint8Array(12);

  constructor(keys: { rtp: SessionKeys; rtcp: SessionKeys }, mki: Uint8Array) {
    this.#rtp = keys.rtp;
    this.#rtcp = keys.rtcp;
    this.#mki = mki;
  }

  isMeant(packet: Uint8Array): boolean {
    return equalsAt(packet, packet.length - this.#mki.length, this.#mki);
  }

  protectRtp(packet: Uint8Array, bytes: number, payloadOffset: number, roc: number): number {
    const iv = this.#rtpIv(readUint32(packet, 8), roc, readUint16(packet, 2));
    const header = packet.subarray(0, payloadOffset);
    seal(this.#rtp.cipherKey, iv, [header], packet, payloadOffset, bytes);
    packet.set(this.#mki, bytes + tagBytes);
    return bytes + tagBytes + this.#mki.length;
  }

  unprotectRtp(packet: Uint8Array, payloadOffset: number, roc: number): number {
    const bytes = packet.length - this.#mki.length - tagBytes;
    if (bytes < payloadOffset) return -1;
    const iv = this.#rtpIv(readUint32(packet, 8), roc, readUint16(packet, 2));
    const header = packet.subarray(0, payloadOffset);
    return open(this.#rtp.cipherKey, iv, [header], packet, payloadOffset, bytes) ? bytes : -1;
  }

  protectRtcp(packet: Uint8Array, bytes: number, index: number): number {
    const wordOffset = bytes + tagBytes;
    writeUint32(packet, wordOffset, index | encryptedFlag);
    const word = packet.subarray(wordOffset, wordOffset + srtcpIndexBytes);
    const iv = this.#rtcpIv(readUint32(packet, 4), index);
    seal(
      this.#rtcp.cipherKey,
      iv,
      [packet.subarray(0, rtcpHeaderBytes), word],
      packet,
      rtcpHeaderBytes,
      bytes,
    );
    packet.set(this.#mki, wordOffset + srtcpIndexBytes);
    return wordOffset + srtcpIndexBytes + this.#mki.length;
  }

  unprotectRtcp(packet: Uint8Array): number {
    const wordOffset = packet.length - this.#mki.length - srtcpIndexBytes;
    const bytes = wordOffset - tagBytes;
    if (bytes < rtcpHeaderBytes) return -1;
    const encrypted = readUint32(packet, wordOffset) >= encryptedFlag;
    const iv = this.#rtcpIv(readUint32(packet, 4), this.rtcpIndex(packet));
    const word = packet.subarray(wordOffset, wordOffset + srtcpIndexBytes);
    // RFC 7714 section 9.2: what is not encrypted is authenticated as a whole.
    const from = encrypted ? rtcpHeaderBytes : bytes;
    return open(this.#rtcp.cipherKey, iv, [packet.subarray(0, from), word], packet, from, bytes) ? bytes : -1;
  }

  rtcpIndex(packet: Uint8Array): number {
    const offset = packet.length - this.#mki.length - srtcpIndexBytes;
    return offset - tagBytes < rtcpHeaderBytes ? -1 : readUint32(packet, offset) & 0x7fff_ffff;
  }

  /** RFC 7714 section 8.1. */
  #rtpIv(ssrc: number, roc: number, sequence: number): Uint8Array {
    const iv = this.#iv;
    iv.set(this.#rtp.salt);
    xorUint32(iv, 2, ssrc);
    xorUint32(iv, 6, roc);
    iv[10]! ^= sequence >>> 8;
    iv[11]! ^= sequence & 0xff;
    return iv;
  }

  /** RFC 7714 section 9.1. */
  #rtcpIv(ssrc: number, index: number): Uint8Array {
    const iv = this.#iv;
    iv.set(this.#rtcp.salt);
    xorUint32(iv, 2, ssrc);
    xorUint32(iv, 8, index);
    return iv;
  }
}

/** Encrypts `from` to `to` in place and puts the tag behind. */
function seal(
  key: Uint8Array,
  iv: Uint8Array,
  associated: Uint8Array[],
  packet: Uint8Array,
  from: number,
  to: number,
): void {
  const cipher = createCipheriv(algorithm, key, iv);
  cipher.setAAD(joined(associated));
  const encrypted = cipher.update(packet.subarray(from, to));
  cipher.final();
  packet.set(encrypted, from);
  packet.set(cipher.getAuthTag(), to);
}

/** Decrypts `from` to `to` in place where the tag behind it is right. */
function open(
  key: Uint8Array,
  iv: Uint8Array,
  associated: Uint8Array[],
  packet: Uint8Array,
  from: number,
  to: number,
): boolean {
  const decipher = createDecipheriv(algorithm, key, iv);
  decipher.setAAD(joined(associated));
  decipher.setAuthTag(packet.subarray(to, to + tagBytes));
  const plain = decipher.update(packet.subarray(from, to));
  try {
    decipher.final();
  } catch {
    return false;
  }
  packet.set(plain, from);
  return true;
}

function joined(parts: Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
