import { readUint16, readUint32, writeUint32 } from '../big-endian.ts';
import type { CounterMode } from './counter-mode.ts';
import { newCounterMode } from './counter-modes.ts';
import { equalsAt, equalsAtConstantTime, srtcpIndexBytes } from './srtp-bytes.ts';
import type { SessionKeys } from './srtp-session-keys.ts';
import type { SrtpTransform } from './srtp-transform.ts';

const rtcpHeaderBytes = 8;
const encryptedFlag = 0x8000_0000;

/** AES in counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1). */
export class AesCmTransform implements SrtpTransform {
  readonly #rtp: CounterMode;
  readonly #rtcp: CounterMode;
  readonly #rtpTagBytes: number;
  readonly #rtcpTagBytes: number;
  readonly #mki: Uint8Array;

  constructor(
    keys: { rtp: SessionKeys; rtcp: SessionKeys },
    rtpTagBytes: number,
    rtcpTagBytes: number,
    mki: Uint8Array,
  ) {
    this.#rtp = newCounterMode(keys.rtp);
    this.#rtcp = newCounterMode(keys.rtcp);
    this.#rtpTagBytes = rtpTagBytes;
    this.#rtcpTagBytes = rtcpTagBytes;
    this.#mki = mki;
  }

  isMeant(packet: Uint8Array): boolean {
    const isRtcp = packet[1]! >= 192 && packet[1]! <= 223;
    const tagBytes = isRtcp ? this.#rtcpTagBytes : this.#rtpTagBytes;
    return equalsAt(packet, packet.length - tagBytes - this.#mki.length, this.#mki);
  }

  protectRtp(packet: Uint8Array, bytes: number, payloadOffset: number, roc: number): number {
    this.#rtp.crypt(packet, payloadOffset, bytes, readUint32(packet, 8), roc, readUint16(packet, 2));
    packet.set(this.#mki, bytes);
    const tag = this.#rtp.tag(packet, bytes, roc);
    return this.#append(packet, bytes + this.#mki.length, tag, this.#rtpTagBytes);
  }

  unprotectRtp(packet: Uint8Array, payloadOffset: number, roc: number): number {
    const tagOffset = packet.length - this.#rtpTagBytes;
    const bytes = tagOffset - this.#mki.length;
    if (bytes < payloadOffset) return -1;
    if (!equalsAtConstantTime(packet, tagOffset, this.#rtp.tag(packet, bytes, roc), this.#rtpTagBytes))
      return -1;
    this.#rtp.crypt(packet, payloadOffset, bytes, readUint32(packet, 8), roc, readUint16(packet, 2));
    return bytes;
  }

  protectRtcp(packet: Uint8Array, bytes: number, index: number): number {
    this.#cryptRtcp(packet, bytes, index);
    writeUint32(packet, bytes, index | encryptedFlag);
    const authenticated = bytes + srtcpIndexBytes;
    packet.set(this.#mki, authenticated);
    const tag = this.#rtcp.tag(packet, authenticated, undefined);
    return this.#append(packet, authenticated + this.#mki.length, tag, this.#rtcpTagBytes);
  }

  unprotectRtcp(packet: Uint8Array): number {
    const tagOffset = packet.length - this.#rtcpTagBytes;
    const authenticated = tagOffset - this.#mki.length;
    const bytes = authenticated - srtcpIndexBytes;
    if (bytes < rtcpHeaderBytes) return -1;
    const tag = this.#rtcp.tag(packet, authenticated, undefined);
    if (!equalsAtConstantTime(packet, tagOffset, tag, this.#rtcpTagBytes)) return -1;
    const index = readUint32(packet, bytes);
    if (index >= encryptedFlag) this.#cryptRtcp(packet, bytes, index - encryptedFlag);
    return bytes;
  }

  rtcpIndex(packet: Uint8Array): number {
    const offset = packet.length - this.#rtcpTagBytes - this.#mki.length - srtcpIndexBytes;
    return offset < rtcpHeaderBytes ? -1 : readUint32(packet, offset) & 0x7fff_ffff;
  }

  #cryptRtcp(packet: Uint8Array, bytes: number, index: number): void {
    this.#rtcp.crypt(packet, rtcpHeaderBytes, bytes, readUint32(packet, 4), index >>> 16, index & 0xffff);
  }

  #append(packet: Uint8Array, offset: number, tag: Uint8Array, tagBytes: number): number {
    for (let i = 0; i < tagBytes; i++) packet[offset + i] = tag[i]!;
    return offset + tagBytes;
  }
}
