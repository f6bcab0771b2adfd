import { readUint16, readUint32 } from '../big-endian.ts';
import type { SrtpKey, SrtpSuite } from '../sdp/srtp-parameters.ts';
import { createSrtpTransform } from './create-srtp-transform.ts';
import { SrtpReplayWindow } from './srtp-replay-window.ts';
import { rtpPayloadOffset, type SrtpTransform } from './srtp-transform.ts';

/** Protects what we send with one master key at a time. */
export class SrtpSender {
  #key = '';
  #transform: SrtpTransform;
  #ssrc = -1;
  #window = new SrtpReplayWindow();
  #rtcpIndex = 0;

  /** @throws CallreelError SDP_INVALID */
  constructor(agreed: { suite: SrtpSuite; key: SrtpKey }) {
    this.#key = JSON.stringify(agreed);
    this.#transform = createSrtpTransform(agreed.suite, agreed.key);
  }

  /**
   * @returns whether the key is another one than before: the stream is then to go on under another SSRC, since peers
   * disagree about what becomes of the rollover counter (RFC 3711 section 3.3.1, RFC 4568 section 7.1.4)
   * @throws CallreelError SDP_INVALID; the former key stays in force
   */
  setKey(agreed: { suite: SrtpSuite; key: SrtpKey }): boolean {
    const key = JSON.stringify(agreed);
    if (key === this.#key) return false;
    this.#transform = createSrtpTransform(agreed.suite, agreed.key);
    this.#key = key;
    this.#ssrc = -1;
    this.#rtcpIndex = 0;
    return true;
  }

  /**
   * Protects in place. A number that was sent before is refused: two packets of one number would give away both.
   * @param packet has room behind `bytes` for `maxSrtpOverheadBytes`
   * @returns bytes to send, -1 for nothing
   */
  protectRtp(packet: Uint8Array, bytes: number): number {
    const ssrc = readUint32(packet, 8);
    if (ssrc !== this.#ssrc) {
      this.#ssrc = ssrc;
      this.#window = new SrtpReplayWindow();
    }
    const sequenceNumber = readUint16(packet, 2);
    const index = this.#window.highest < 0 ? sequenceNumber : this.#window.estimate(sequenceNumber);
    if (index < 0 || this.#window.isReplay(index)) return -1;
    this.#window.add(index);
    return this.#transform.protectRtp(packet, bytes, rtpPayloadOffset(packet), Math.floor(index / 0x1_0000));
  }

  /** As `protectRtp`, for a compound RTCP packet. */
  protectRtcp(packet: Uint8Array, bytes: number): number {
    return this.#transform.protectRtcp(packet, bytes, this.#rtcpIndex++ & 0x7fff_ffff);
  }
}
