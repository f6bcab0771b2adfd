import { maxAnchors } from './bounds.ts';

const seenPackets = 1024;
/** Of a place in `#seen`: no packet comes as far on as this, which is 2^26 behind the first. */
const unseen = 0xffff;

/** From sequence number `fromSequence` on, `ticks` of the run lie at `sample`. */
interface Anchor {
  fromSequence: number;
  ticks: number;
  sample: number;
}

/** Distance from `from` to `to` in 16-bit sequence numbers, -32768..32767. */
export function sequenceDelta(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Distance from `from` to `to` in 32-bit timestamps, -2^31..2^31-1. */
export function timestampDelta(from: number, to: number): number {
  return (to - from) | 0;
}

/** How often `#seen` went round, modulo 2^16. */
function turnOf(sequence: number): number {
  return Math.floor(sequence / seenPackets) & 0xffff;
}

/** The packet that is farthest in the run, and where it lies. */
interface Latest {
  /** Extended: grows over the 16-bit wrap. */
  sequence: number;
  rtpTime: number;
  /** Extended: grows over the 32-bit wrap. */
  ticks: number;
  sample: number;
  arrivalSample: number;
}

/**
 * One sequence of packets under one SSRC and one clock: extends sequence numbers and timestamps, knows duplicates, and
 * maps RTP time to samples by its anchors. It decides nothing; `TrackTimeline` does.
 */
export class RtpRun {
  readonly ssrc: number;
  readonly clockRateHz: number;
  readonly #rateHz: number;
  readonly #anchors: Anchor[];
  readonly #seen = new Uint16Array(seenPackets).fill(unseen);
  #firstSequence: number;
  readonly latest: Latest;

  /** Begins with a packet at `sample`. */
  constructor(
    { ssrc, clockRateHz, rateHz }: { ssrc: number; clockRateHz: number; rateHz: number },
    { sequenceNumber, rtpTime, sample }: { sequenceNumber: number; rtpTime: number; sample: number },
  ) {
    this.ssrc = ssrc;
    this.clockRateHz = clockRateHz;
    this.#rateHz = rateHz;
    // One wrap of head room keeps the extended numbers of packets before the first one positive.
    this.#firstSequence = 0x10000 + sequenceNumber;
    this.#anchors = [{ fromSequence: 0, ticks: 0, sample }];
    this.latest = { sequence: this.#firstSequence - 1, rtpTime, ticks: 0, sample, arrivalSample: 0 };
  }

  get firstSequence(): number {
    return this.#firstSequence;
  }

  extendSequence(sequenceNumber: number): number {
    return this.latest.sequence + sequenceDelta(this.latest.sequence & 0xffff, sequenceNumber);
  }

  extendTime(rtpTime: number): number {
    return this.latest.ticks + timestampDelta(this.latest.rtpTime, rtpTime);
  }

  /** Where RTP time puts a packet: undefined if it is from before the oldest anchor still known. */
  sampleAt(sequence: number, ticks: number): number | undefined {
    const last = this.#anchors.at(-1);
    const anchor =
      last && last.fromSequence <= sequence
        ? last
        : this.#anchors.findLast(({ fromSequence }) => fromSequence <= sequence);
    return anchor && anchor.sample + this.#samples(ticks - anchor.ticks);
  }

  /** Length of [ticks, ticks + durationTicks) in samples; lengths of contiguous packets add up without rest. */
  samplesBetween(sequence: number, ticks: number, durationTicks: number): number {
    const from = this.sampleAt(sequence, ticks);
    const to = this.sampleAt(sequence, ticks + durationTicks);
    return from === undefined || to === undefined ? 0 : to - from;
  }

  /** True if the packet belongs before the present anchor, where another timestamp base may have been in force. */
  precedesAnchor(sequence: number): boolean {
    return sequence < (this.#anchors.at(-1)?.fromSequence ?? 0);
  }

  /** From this packet on, RTP time counts from `sample`. */
  anchor(fromSequence: number, ticks: number, sample: number): void {
    this.#anchors.push({ fromSequence, ticks, sample });
    if (this.#anchors.length > maxAnchors) this.#anchors.shift();
  }

  /** The sender began to count anew while its RTP time went on: the next packet is `sequenceNumber`. */
  restartSequence(sequenceNumber: number): void {
    const anchor = this.#anchors.at(-1);
    this.#seen.fill(unseen);
    this.#firstSequence = 0x10000 + sequenceNumber;
    this.latest.sequence = this.#firstSequence - 1;
    if (anchor) this.#anchors.splice(0, this.#anchors.length, { ...anchor, fromSequence: 0 });
  }

  hasSeen(sequence: number): boolean {
    return this.#seen[sequence % seenPackets] === turnOf(sequence);
  }

  see(sequence: number): void {
    this.#seen[sequence % seenPackets] = turnOf(sequence);
  }

  /** The packet is placed and is the farthest of the run now. */
  advance(sequence: number, rtpTime: number, sample: number, arrivalSample: number): void {
    this.see(sequence);
    const { latest } = this;
    latest.ticks = this.extendTime(rtpTime);
    latest.sequence = sequence;
    latest.rtpTime = rtpTime;
    latest.sample = sample;
    latest.arrivalSample = arrivalSample;
  }

  #samples(ticks: number): number {
    return Math.round((ticks * this.#rateHz) / this.clockRateHz);
  }
}
