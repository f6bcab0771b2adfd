import { readUint16, readUint32 } from '../big-endian.ts';
import type { SrtpKeys } from '../sdp/srtp-parameters.ts';
import { SrtpKeyRing } from './srtp-key-ring.ts';
import { malformed, notAuthentic, replayed, rtpPayloadOffset } from './srtp-transform.ts';

/** Packets that were dropped. */
export interface SrtpCounters {
  authenticationFailures: number;
  replays: number;
  /** Too short, or no RTP at all. */
  malformed: number;
}

/** How long packets that were on their way while the key changed are still taken. */
const inFlightUs = 5_000_000;

/** Opens what the peer sends. After a change of keys those before are taken for a while. */
export class SrtpReceiver {
  readonly counters: SrtpCounters = { authenticationFailures: 0, replays: 0, malformed: 0 };
  #agreed: string;
  #ring: SrtpKeyRing;
  #previous: SrtpKeyRing | undefined;
  /** From the first packet after the change on. */
  #previousUntilUs: number | undefined;

  /** @throws CallreelError SDP_INVALID */
  constructor(agreed: SrtpKeys) {
    this.#agreed = JSON.stringify(agreed);
    this.#ring = new SrtpKeyRing(agreed);
  }

  /** @throws CallreelError SDP_INVALID; the former keys stay in force */
  setKeys(agreed: SrtpKeys): void {
    const text = JSON.stringify(agreed);
    if (text === this.#agreed) return;
    const ring = new SrtpKeyRing(agreed, this.#ring);
    this.#agreed = text;
    this.#previous = this.#ring;
    this.#previousUntilUs = undefined;
    this.#ring = ring;
  }

  /**
   * Opens in place.
   * @returns the bytes of the plain packet, -1 for one that is not authentic or came before
   */
  unprotectRtp(packet: Uint8Array, nowUs: number): number {
    return this.#counted(this.tryRtp(packet, nowUs));
  }

  /**
   * As `unprotectRtp`, for what may be no packet of these keys: what does not open counts nowhere.
   * @returns bytes, `notAuthentic`, `replayed` or `malformed`
   */
  tryRtp(packet: Uint8Array, nowUs: number): number {
    const payloadOffset = rtpPayloadOffset(packet);
    if (payloadOffset < 0) return malformed;
    const ssrc = readUint32(packet, 8);
    const sequenceNumber = readUint16(packet, 2);
    return this.#open(nowUs, (ring) => ring.openRtp(packet, payloadOffset, ssrc, sequenceNumber));
  }

  /** As `unprotectRtp`, for a compound RTCP packet. */
  unprotectRtcp(packet: Uint8Array, nowUs: number): number {
    return this.#counted(this.tryRtcp(packet, nowUs));
  }

  /** As `tryRtp`, for a compound RTCP packet. */
  tryRtcp(packet: Uint8Array, nowUs: number): number {
    if (packet.length < 8) return malformed;
    return this.#open(nowUs, (ring) => ring.openRtcp(packet));
  }

  /** What `tryRtp` gave is dropped. */
  countRefusal(refusal: number): void {
    if (refusal === replayed) this.counters.replays++;
    else if (refusal === malformed) this.counters.malformed++;
    else this.counters.authenticationFailures++;
  }

  #open(nowUs: number, open: (ring: SrtpKeyRing) => number): number {
    const bytes = open(this.#ring);
    return bytes === notAuthentic && this.#takesPrevious(nowUs) ? open(this.#previous!) : bytes;
  }

  #counted(bytes: number): number {
    if (bytes >= 0) return bytes;
    this.countRefusal(bytes);
    return -1;
  }

  #takesPrevious(nowUs: number): boolean {
    if (!this.#previous) return false;
    this.#previousUntilUs ??= nowUs + inFlightUs;
    if (nowUs <= this.#previousUntilUs) return true;
    this.#previous = undefined;
    return false;
  }
}
