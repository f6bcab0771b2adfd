import { type RtpTimestamp, timestampDelta, toRtpTimestamp } from './sequence.ts';
import { longestEventTicks, telephoneEventBytes } from './telephone-event.ts';

/** More than any key is held, even at 8000 Hz; what lies further ahead is another key press. */
const maxSegments = 64;

/**
 * Counts the key presses of one stream with another clock: packet by packet, in as many segments as each then needs
 * (RFC 4733 section 2.5.1.3), whatever its own segments were.
 */
export class KeyPressClock {
  /** What stands for the packet; valid until the next. */
  readonly payload = new Uint8Array(telephoneEventBytes);
  /** Whether the packet is the first seen of a key press. */
  begins = false;
  /** Where its segment begins, from the beginning of the key press on, in the other clock. */
  segmentTicks = 0;
  /** How many segments are full with this packet that were not before. */
  filledSegments = 0;
  #event = -1;
  #startTime = toRtpTimestamp(0);
  #sourceSegment = 0;
  #segment = 0;

  /** @returns false for a malformed payload */
  convert(payload: Uint8Array, rtpTime: RtpTimestamp, fromHz: number, toHz: number): boolean {
    if (payload.length < telephoneEventBytes) return false;
    const event = payload[0]!;
    const sourceSegment = this.#segmentOf(event, rtpTime);
    this.begins = sourceSegment < 0;
    if (this.begins) {
      this.#event = event;
      this.#startTime = rtpTime;
      this.#sourceSegment = this.#segment = 0;
    } else this.#sourceSegment = Math.max(this.#sourceSegment, sourceSegment);
    const sourceTicks = Math.max(0, sourceSegment) * longestEventTicks + ((payload[2]! << 8) | payload[3]!);
    const ticks = Math.round((sourceTicks * toHz) / fromHz);
    const segment = Math.max(0, Math.ceil(ticks / longestEventTicks) - 1);
    this.filledSegments = Math.max(0, segment - this.#segment);
    this.#segment = Math.max(this.#segment, segment);
    this.segmentTicks = segment * longestEventTicks;
    this.#fill(event, payload[1]!, ticks - this.segmentTicks);
    return true;
  }

  /** The last report of a segment that was filled, in place of `payload`: the key is still down. */
  fillSegment(): Uint8Array {
    this.#fill(this.payload[0]!, this.payload[1]! & 0x7f, longestEventTicks);
    return this.payload;
  }

  /** The next packet begins a key press. */
  reset(): void {
    this.#event = -1;
  }

  /** @returns which segment of the key press that runs the packet is from, -1 for one of another key press */
  #segmentOf(event: number, rtpTime: RtpTimestamp): number {
    if (event !== this.#event) return -1;
    const segment = timestampDelta(rtpTime, this.#startTime) / longestEventTicks;
    const continues =
      Number.isInteger(segment) && segment >= 0 && segment <= Math.min(this.#sourceSegment + 1, maxSegments);
    return continues ? segment : -1;
  }

  #fill(event: number, flags: number, ticks: number): void {
    this.payload[0] = event;
    this.payload[1] = flags;
    this.payload[2] = ticks >> 8;
    this.payload[3] = ticks;
  }
}
