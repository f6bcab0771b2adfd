import type { NegotiatedSrtp } from '../sdp/srtp-parameters.ts';
import { type SrtpCounters, SrtpReceiver } from './srtp-receiver.ts';
import { SrtpSender } from './srtp-sender.ts';

/** Both directions of one leg's SRTP and SRTCP (RFC 3711), through every change of keys. */
export class SrtpContext {
  readonly #sender: SrtpSender;
  readonly #receiver: SrtpReceiver;

  /** @throws CallreelError SDP_INVALID */
  constructor({ send, receive }: NegotiatedSrtp) {
    this.#sender = new SrtpSender(send);
    this.#receiver = new SrtpReceiver(receive);
  }

  get counters(): Readonly<SrtpCounters> {
    return this.#receiver.counters;
  }

  /**
   * A later agreement; the same one again changes nothing.
   * @returns whether our stream is to go on under another SSRC
   * @throws CallreelError SDP_INVALID
   */
  update({ send, receive }: NegotiatedSrtp): boolean {
    this.#receiver.setKeys(receive);
    return this.#sender.setKey(send);
  }

  /** In place. @returns the bytes of the plain packet, -1 for one to be dropped; it is then as it was */
  unprotectRtp(packet: Uint8Array, nowUs: number): number {
    return this.#receiver.unprotectRtp(packet, nowUs);
  }

  /** In place. @returns as `unprotectRtp` */
  unprotectRtcp(packet: Uint8Array, nowUs: number): number {
    return this.#receiver.unprotectRtcp(packet, nowUs);
  }

  /** As `SrtpReceiver.tryRtp`. */
  tryRtp(packet: Uint8Array, nowUs: number): number {
    return this.#receiver.tryRtp(packet, nowUs);
  }

  /** As `SrtpReceiver.tryRtcp`. */
  tryRtcp(packet: Uint8Array, nowUs: number): number {
    return this.#receiver.tryRtcp(packet, nowUs);
  }

  /** What `tryRtp` gave is dropped. */
  countRefusal(refusal: number): void {
    this.#receiver.countRefusal(refusal);
  }

  /**
   * In place.
   * @param packet has room behind `bytes` for `maxSrtpOverheadBytes`
   * @returns bytes to send, -1 for a packet that must not be sent
   */
  protectRtp(packet: Uint8Array, bytes: number): number {
    return this.#sender.protectRtp(packet, bytes);
  }

  /** In place. @returns as `protectRtp` */
  protectRtcp(packet: Uint8Array, bytes: number): number {
    return this.#sender.protectRtcp(packet, bytes);
  }
}
