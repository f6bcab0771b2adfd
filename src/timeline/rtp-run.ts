import { maxAnchors } from './bounds.ts';
import { ClockDrift } from './clock-drift.ts';
import { type ClockReport, wallClockUs } from './clock-report.ts';
import type { Lags } from './lags.ts';
import type { PacketSeries } from './packet-series.ts';
import type { ExactSpan } from './placement.ts';
import type { SampleBounds } from './sample-bounds.ts';
import { type Stretch, stretchUs } from './stretch.ts';

/** Of the newest sequence numbers so many are known; one bit each. */
const seenPackets = 1024;
const wordBits = 32;

/** From sequence number `fromSequence` on, `ticks` of the run lie at `sample`. */
interface Anchor {
  fromSequence: number;
  ticks: number;
  /** Whole, unless drift was corrected before. */
  sample: number;
  /** Undefined where RTP time was never stretched. */
  stretch: Stretch | undefined;
  /** RTP time goes on from the anchor before, stretched otherwise. */
  isContinued: boolean;
}

/** Distance from `from` to `to` in 16-bit sequence numbers, -32768..32767. */
export function sequenceDelta(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Distance from `from` to `to` in 32-bit timestamps, -2^31..2^31-1. */
export function timestampDelta(from: number, to: number): number {
  return (to - from) | 0;
}

/** A packet that has its place. */
interface Placed {
  rtpTime: number;
  arrivalUs: number;
  arrivalSample: number;
  durationTicks: number;
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
 * maps RTP time to samples by its anchors, stretched by what its clock drifts. Anything else `TrackTimeline` decides.
 */
export class RtpRun {
  readonly ssrc: number;
  readonly clockRateHz: number;
  readonly #rateHz: number;
  readonly #anchors: Anchor[];
  readonly #drift = new ClockDrift();
  /** Of the sequence numbers up to `#seenTo`. */
  readonly #seen = new Uint32Array(seenPackets / wordBits);
  #seenTo: number;
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
    this.#seenTo = this.#firstSequence - 1;
    this.#anchors = [{ fromSequence: 0, ticks: 0, sample, stretch: undefined, isContinued: false }];
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
    const anchor = this.#anchorOf(sequence);
    return anchor && Math.round(this.#exactSample(anchor, ticks));
  }

  /** Length of [ticks, ticks + durationTicks) in samples; lengths of contiguous packets add up without rest. */
  samplesBetween(sequence: number, ticks: number, durationTicks: number): number {
    const from = this.sampleAt(sequence, ticks);
    const to = this.sampleAt(sequence, ticks + durationTicks);
    return from === undefined || to === undefined ? 0 : to - from;
  }

  /** As `samplesBetween`; undefined where drift is not corrected. */
  exactSpan(sequence: number, ticks: number, durationTicks: number): ExactSpan | undefined {
    const anchor = this.#anchorOf(sequence);
    if (!anchor?.stretch) return undefined;
    const toSample = this.#exactSample(anchor, ticks + durationTicks);
    return { fromSample: this.#exactSample(anchor, ticks), toSample };
  }

  /** Mean drift of the clock since it was anchored last, as `ClockDrift.meanPpm`. */
  driftPpm(deviationPpm: number): number | undefined {
    return this.#drift.meanPpm(deviationPpm);
  }

  report(report: ClockReport): void {
    const rtpUs = this.#timeUs(this.extendTime(report.rtpTime));
    this.#drift.report({ wallUs: wallClockUs(report), rtpUs, arrivalUs: report.arrivalUs });
  }

  /** Whether the packet is the next one and begins at `sample`, by a clock that is taken as it is. */
  goesOn(sequenceNumber: number, rtpTime: number, sample: number): boolean {
    const sequence = this.latest.sequence + 1;
    if ((sequence & 0xffff) !== sequenceNumber || this.isStretched) return false;
    return this.sampleAt(sequence, this.extendTime(rtpTime)) === sample;
  }

  /** The clock is followed. */
  get isStretched(): boolean {
    return this.#anchors.at(-1)?.stretch !== undefined;
  }

  /** True if the packet belongs before the present anchor, where another timestamp base may have been in force. */
  precedesAnchor(sequence: number): boolean {
    return sequence < (this.#anchors.findLast(({ isContinued }) => !isContinued)?.fromSequence ?? 0);
  }

  /** From this packet on, RTP time counts from `sample`, where it arrived. */
  anchor(fromSequence: number, ticks: number, sample: number): void {
    this.#drift.restart();
    this.#push({ fromSequence, ticks, sample, stretch: this.#drift.stretch, isContinued: false });
  }

  /** From this packet on, RTP time counts from so many samples later: it stood still. */
  resume(fromSequence: number, ticks: number, samples: number): void {
    this.#drift.resume();
    const sample = (this.sampleAt(fromSequence, ticks) ?? this.latest.sample) + samples;
    this.#push({ fromSequence, ticks, sample, stretch: this.#drift.stretch, isContinued: false });
  }

  /** The sender began to count anew while its RTP time went on: the next packet is `sequenceNumber`. */
  restartSequence(sequenceNumber: number): void {
    const anchor = this.#anchors.at(-1);
    this.#seen.fill(0);
    this.#firstSequence = 0x10000 + sequenceNumber;
    this.#seenTo = this.#firstSequence - 1;
    this.latest.sequence = this.#firstSequence - 1;
    if (anchor)
      this.#anchors.splice(0, this.#anchors.length, { ...anchor, fromSequence: 0, isContinued: false });
  }

  hasSeen(sequence: number): boolean {
    if (sequence > this.#seenTo || sequence <= this.#seenTo - seenPackets) return false;
    return (this.#seen[wordOf(sequence)]! & (1 << sequence)) !== 0;
  }

  see(sequence: number): void {
    if (sequence <= this.#seenTo - seenPackets) return;
    if (sequence > this.#seenTo + seenPackets) this.#seen.fill(0);
    else
      for (let missed = this.#seenTo + 1; missed < sequence; missed++)
        this.#seen[wordOf(missed)]! &= ~(1 << missed);
    if (sequence > this.#seenTo) this.#seenTo = sequence;
    this.#seen[wordOf(sequence)]! |= 1 << sequence;
  }

  /** The packet is placed and is the farthest of the run now. */
  advance(sequence: number, placed: Placed, sample: number): void {
    this.see(sequence);
    const { latest } = this;
    latest.ticks = this.extendTime(placed.rtpTime);
    latest.sequence = sequence;
    latest.rtpTime = placed.rtpTime;
    latest.sample = sample;
    latest.arrivalSample = placed.arrivalSample;
    if (this.#drift.packet(this.#timeUs(latest.ticks), placed.arrivalUs))
      this.#follow(sequence, latest.ticks + placed.durationTicks);
  }

  /**
   * As `advance`, of packets of a series from one on that go on with the run, of a clock as fast as the recording's that
   * is taken as it is: as long as each is within the bounds, and no clock is to be followed behind the one before.
   * @param behind where the first of them begins, and the newest arrival so far; each may be so much later than the one
   *   before
   * @param lags get theirs
   * @returns how many
   */
  advanceSeries(
    series: PacketSeries,
    from: number,
    lags: Lags,
    behind: { sample: number; arrivalSample: number; maxStepSamples: number },
    { maxLagSamples, maxLeadSamples, maxJumpSamples }: SampleBounds,
  ): number {
    const { latest } = this;
    const { payloadBytes } = series;
    const beginTicks = this.extendTime((series.rtpTime + from * payloadBytes) >>> 0);
    let { sample, arrivalSample } = latest;
    let lagBefore = lags.latest ?? Number.POSITIVE_INFINITY;
    let isFollowed = false;
    let count = 0;
    for (; from + count < series.count && !isFollowed; count++) {
      const arrivalUs = series.arrivalUs(from + count);
      const at = behind.sample + count * payloadBytes;
      const arrivedAt = Math.round((arrivalUs * this.#rateHz) / 1_000_000);
      const newest = Math.max(count === 0 ? behind.arrivalSample : arrivalSample, arrivedAt);
      const lag = newest - at;
      if (lag > maxLagSamples || -lag > maxLeadSamples || lag - lagBefore > behind.maxStepSamples) break;
      if (Math.abs(at - sample - (newest - arrivalSample)) > maxJumpSamples) break;
      lagBefore = arrivedAt - at;
      lags.add(lagBefore);
      sample = at;
      arrivalSample = newest;
      isFollowed = this.#drift.packet(this.#timeUs(beginTicks + count * payloadBytes), arrivalUs);
    }
    if (count === 0) return 0;
    const sequence = latest.sequence + count;
    for (let seen = latest.sequence + 1; seen <= sequence; seen++) this.see(seen);
    const endTicks = beginTicks + count * payloadBytes;
    latest.sequence = sequence;
    latest.rtpTime = (series.rtpTime + (from + count - 1) * payloadBytes) >>> 0;
    latest.ticks = endTicks - payloadBytes;
    latest.sample = sample;
    latest.arrivalSample = arrivalSample;
    if (isFollowed) this.#follow(sequence, endTicks);
    return count;
  }

  /** Behind this packet the clock is followed as it is known now. */
  #follow(sequence: number, ticks: number): void {
    const anchor = this.#anchorOf(sequence);
    if (!anchor) return;
    const sample = this.#exactSample(anchor, ticks);
    const { stretch } = this.#drift;
    this.#push({ fromSequence: sequence + 1, ticks, sample, stretch, isContinued: true });
  }

  #push(anchor: Anchor): void {
    this.#anchors.push(anchor);
    if (this.#anchors.length > maxAnchors) this.#anchors.shift();
  }

  #anchorOf(sequence: number): Anchor | undefined {
    const last = this.#anchors.at(-1);
    if (last && last.fromSequence <= sequence) return last;
    return this.#anchors.findLast(({ fromSequence }) => fromSequence <= sequence);
  }

  #exactSample({ ticks: atTicks, sample, stretch }: Anchor, ticks: number): number {
    const samples = ((ticks - atTicks) * this.#rateHz) / this.clockRateHz;
    if (!stretch) return sample + samples;
    return sample + samples + (stretchUs(stretch, this.#timeUs(ticks - atTicks)) * this.#rateHz) / 1_000_000;
  }

  #timeUs(ticks: number): number {
    return (ticks * 1_000_000) / this.clockRateHz;
  }
}

/** Of `#seen`, in which a sequence number has its bit. */
function wordOf(sequence: number): number {
  return ((sequence & (seenPackets - 1)) / wordBits) | 0;
}
