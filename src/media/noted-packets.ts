import type { PacketSeries } from '../timeline/packet-series.ts';

/**
 * Packets of a stream that came one after the other, each with the next number and later by its own length, as they are
 * told of: one object for all of them, filled in anew each time.
 */
export class NotedPackets implements PacketSeries {
  count = 0;
  sequenceNumber = 0;
  rtpTime = 0;
  payloadBytes = 0;
  /** Monotonic microseconds of each, from `#at` on. */
  #times: Float64Array = new Float64Array(0);
  #at = 0;
  #originUs = 0;

  /** @param ticks how much later each is; for who places them its length too */
  fill(count: number, sequenceNumber: number, rtpTime: number, ticks: number): void {
    this.count = count;
    this.sequenceNumber = sequenceNumber;
    this.rtpTime = rtpTime;
    this.payloadBytes = ticks;
  }

  /** @param originUs position 0 of the room's clock */
  cameAt(times: Float64Array, at: number, originUs: number): void {
    this.#times = times;
    this.#at = at;
    this.#originUs = originUs;
  }

  arrivalUs(index: number): number {
    return Math.max(0, this.#times[this.#at + index]! - this.#originUs);
  }
}
