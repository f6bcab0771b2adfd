import type { TestPhone } from '../media/test-phone.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';

/** A phone whose packets are held up by the network until they are let go. For tests only. */
export class HeldUp {
  readonly #phone: TestPhone;
  readonly #held: Uint8Array[] = [];

  constructor(phone: TestPhone) {
    this.#phone = phone;
  }

  /** A packet of 20 ms that nobody gets yet. */
  say(mark: number, payloadType = 0): void {
    const { sequenceNumber, timestamp, ssrc } = this.#phone;
    const bytes = payloadType === 0 ? 160 : 1;
    const datagram = new Uint8Array(rtpHeaderBytes + bytes).fill(mark);
    writeRtpHeader(datagram, { marker: false, payloadType, sequenceNumber, timestamp, ssrc });
    this.hold(datagram, payloadType === 0 ? 160 : 0);
  }

  hold(datagram: Uint8Array, ticks: number): void {
    this.#held.push(datagram);
    this.#phone.sequenceNumber = (this.#phone.sequenceNumber + 1) & 0xffff;
    this.#phone.timestamp = (this.#phone.timestamp + ticks) >>> 0;
  }

  async letGo(): Promise<void> {
    for (const datagram of this.#held.splice(0)) await this.#phone.sendRaw(datagram);
  }
}
