import {
  maxJumpUs,
  maxMisorderPackets,
  maxPauseLeadUs,
  maxPreRollUs,
  maxSlownessUs,
  maxStartLeadUs,
  maxWaiting,
  minBurstSpeed,
  minCatchUpUs,
  minPausePackets,
  minPauseUs,
  pauseSlackUs,
  pauseWindowUs,
  preRollWindowUs,
  startWindowUs,
} from './bounds.ts';
import type { ClockReport } from './clock-report.ts';
import { Lags } from './lags.ts';
import type { PacketSeries } from './packet-series.ts';
import type { Placement } from './placement.ts';
import { sequenceDelta, timestampDelta } from './rtp-run.ts';
import type { TrackFormat } from './track-format.ts';
import { TrackTimeline } from './track-timeline.ts';

/** Numbers as on the wire; `arrivalUs` is on the room's clock. */
export interface TrackPacket {
  sequenceNumber: number;
  rtpTime: number;
  arrivalUs: number;
  /** Ticks of the packet's RTP clock (`payloadDurationTicks`). */
  durationTicks: number;
}

export interface TrackPlacerOptions {
  rateHz: number;
  startSample: number;
  /** We sent the packets: they are as early as they were. */
  isOurs?: boolean;
}

interface Waiting<Packet> {
  packet: Packet;
  format: TrackFormat;
  /** Where arrival counts: when it would have come by the fastest way. */
  beginUs?: number;
}

/** How late packets were before a stall, in samples; how late the last one is, and the least late one was. */
interface Stall {
  readonly latestBefore: number;
  lag: number;
  leastLag: number;
  leastUs: number;
  /** What arrives later is not of it. */
  readonly untilUs: number;
}

/**
 * Places the packets of one track on its timeline, in order of arrival, and looks ahead where a packet alone does not
 * tell its place:
 *
 *     first of a stream, or         those that left before it may come after it: they lie before it; those that
 *     RTP time can not place it     left behind it may have been faster: it lies where the fastest would have come
 *     late against its RTP time     did the sender's clock stand still in a pause, or was the packet held up?
 *
 * Such a packet waits, and all behind it, until what arrives within a bound of time has told. The decision follows
 * from these packets alone, so that a part of a recording is the same as in the whole. Pure: no clock, no timer.
 */
export class TrackPlacer<Packet extends TrackPacket> {
  readonly timeline: TrackTimeline;
  readonly #rateHz: number;
  readonly #isOurs: boolean;
  readonly #startUs: number;
  readonly #minPauseSamples: number;
  readonly #placed: (packet: Packet, placement: Placement) => void;
  readonly #waiting: Waiting<Packet>[] = [];
  readonly #lags = new Lags();
  /** While its packets catch up. */
  #stall: Stall | undefined;
  #format: TrackFormat | undefined;
  /** What the timeline was told last. */
  #toldFormat: TrackFormat | undefined;
  /** How far the track was settled before the packets were placed that waited when the input ended. */
  #open: { settledSample: number; firstUs: number; lastUs: number } | undefined;

  constructor(
    { rateHz, startSample, isOurs = false }: TrackPlacerOptions,
    placed: (packet: Packet, placement: Placement) => void,
  ) {
    this.#rateHz = rateHz;
    this.#isOurs = isOurs;
    this.#startUs = (startSample * 1_000_000) / rateHz;
    this.#minPauseSamples = this.#samplesOf(minPauseUs);
    this.#placed = placed;
    this.timeline = new TrackTimeline({ rateHz, startSample });
  }

  /** What was copied as it has to wait. */
  *waiting(): Generator<Packet, void, undefined> {
    for (const { packet } of this.#waiting) yield packet;
  }

  /** Says what the packets from here on are; at the start and at every change. */
  format({ codec, clockRateHz, ssrc }: TrackFormat): void {
    this.#format = { codec, clockRateHz, ssrc };
  }

  /** The next packet. It is copied where it has to wait. */
  offer(packet: Packet): void {
    if (!this.#format) throw new TypeError('offer() before format()');
    if (this.#placeSteady(packet)) return;
    if (this.#waiting.length === 0 && !this.#isDoubtful(packet, this.#format)) {
      this.#place(packet, this.#format);
      return;
    }
    this.#waiting.push({ packet: { ...packet }, format: this.#format });
    this.#decide(false);
  }

  /** Nearly all packets: the next one of a stream that goes on. @returns false where it is for the long way to tell */
  #placeSteady(packet: Packet): boolean {
    if (this.#waiting.length > 0 || this.#stall || this.#format !== this.#toldFormat) return false;
    const { sequenceNumber, rtpTime, arrivalUs, durationTicks } = packet;
    const lag = this.timeline.steadyLagSamples(sequenceNumber, rtpTime, arrivalUs);
    if (!(lag - (this.#lags.latest ?? lag) <= this.#minPauseSamples)) return false;
    const placement = this.timeline.placeSteady(sequenceNumber, rtpTime, arrivalUs, durationTicks);
    this.#lags.add(this.#samplesOf(arrivalUs) - placement.atSample);
    this.#placed(packet, placement);
    return true;
  }

  /**
   * As `offer`, of packets of a series, from one on, as long as they only go on with the stream.
   * @returns how many have their place, one behind the other from where all audio ended; the next one is for `offer`
   */
  offerSeries(series: PacketSeries, from: number): number {
    const isOpen = this.#waiting.length > 0 || this.#stall !== undefined;
    if (isOpen || !this.#format || this.#format !== this.#toldFormat) return 0;
    return this.timeline.placeSeries(series, from, this.#lags, this.#minPauseSamples);
  }

  /** What the sender says of its clocks. */
  report(report: ClockReport): void {
    this.timeline.report(report);
  }

  /** Places what waits: no packet follows, or none is known yet. */
  finish(): void {
    this.#open = this.#openEnd();
    if (this.#open) this.#decide(true);
  }

  #openEnd(): { settledSample: number; firstUs: number; lastUs: number } | undefined {
    const first = this.#waiting[0];
    const last = this.#waiting.at(-1);
    if (!first || !last) return undefined;
    const settledSample = this.timeline.settledSample(0);
    return { settledSample, firstUs: first.packet.arrivalUs, lastUs: last.packet.arrivalUs };
  }

  /** No packet that is offered from now on arrived before `nowUs`: what waited for longer than that is placed. */
  elapsed(nowUs: number): void {
    const last = this.#waiting.at(-1);
    if (last && nowUs > last.packet.arrivalUs + pauseWindowUs) this.#decide(true);
  }

  /** As `TrackTimeline.settledSample`; what more packets could decide otherwise is not settled. */
  settledSample(nowSample: number): number {
    const open = this.#open ?? this.#openEnd();
    if (!open || nowSample > this.#samplesOf(open.lastUs + pauseWindowUs))
      return this.timeline.settledSample(nowSample);
    const byTime = this.timeline.settledByTime(Math.min(nowSample, this.#samplesOf(open.firstUs)));
    return Math.max(open.settledSample, byTime);
  }

  /** Whether the packets behind it have to tell where it lies. */
  #isDoubtful(packet: Packet, format: TrackFormat): boolean {
    this.#tell(format);
    if (this.#stall && packet.arrivalUs > this.#stall.untilUs) this.#endStall();
    if (this.timeline.beginsRun) return true;
    const { sequenceNumber, rtpTime, arrivalUs } = packet;
    const lag = this.timeline.lagSamples(sequenceNumber, rtpTime, arrivalUs);
    if (lag === undefined) return this.timeline.isAnchored(sequenceNumber, rtpTime, arrivalUs);
    return this.#excessSamples(lag) > this.#minPauseSamples;
  }

  #liesAtArrival({ sequenceNumber, rtpTime, arrivalUs }: Packet): boolean {
    return this.timeline.beginsRun || this.timeline.isAnchored(sequenceNumber, rtpTime, arrivalUs);
  }

  /** How much later than the latest of the packets before it one is that is so late against RTP time. */
  #excessSamples(lag: number): number {
    const { latest } = this.#lags;
    if (latest === undefined) return 0;
    if (this.#stall) return lag - this.#stall.lag;
    const sinceLast = lag - latest;
    return sinceLast <= this.#minPauseSamples ? sinceLast : lag - Math.max(...this.#lags.known);
  }

  #decide(ended: boolean): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const { packet, format } = first;
      if (this.#isDoubtful(packet, format)) {
        const decided = this.#liesAtArrival(packet) ? this.#begin(first, ended) : this.#resume(first, ended);
        if (!decided) return;
      }
      this.#waiting.shift();
      this.#place(packet, format, first.beginUs);
    }
  }

  /** Places what left before the first packet of a stream or of an anchor, and tells when that would have come by the fastest way. */
  #begin(first: Waiting<Packet>, ended: boolean): boolean {
    if (!ended && !this.#isOver(first, pauseWindowUs)) return false;
    const { packet, format } = first;
    // What came after the track began is in it.
    const fromUs = packet.arrivalUs < this.#startUs ? 0 : this.#startUs;
    const beginUs = Math.max(fromUs, packet.arrivalUs - this.#slownessUs(first));
    first.beginUs = beginUs;
    const leadUs = ({ rtpTime }: Packet): number =>
      Math.round((timestampDelta(rtpTime, packet.rtpTime) * 1_000_000) / format.clockRateHz);
    const earlier = this.#within(first, startWindowUs)
      .filter((each) => isBefore(each.packet, packet) && leadUs(each.packet) <= maxStartLeadUs)
      .sort((a, b) => sequenceDelta(b.packet.sequenceNumber, a.packet.sequenceNumber));
    for (const each of earlier) {
      this.#waiting.splice(this.#waiting.indexOf(each), 1);
      this.#place(each.packet, each.format, Math.max(fromUs, beginUs - leadUs(each.packet)));
    }
    return true;
  }

  /** How much slower the first packet of a stream was than the fastest of those behind it. */
  #slownessUs(first: Waiting<Packet>): number {
    if (this.#isOurs) return 0;
    const { packet, format } = first;
    let slownessUs = 0;
    for (const { packet: later } of this.#within(first, pauseWindowUs)) {
      if (!isBefore(packet, later)) continue;
      const saidUs = (timestampDelta(packet.rtpTime, later.rtpTime) * 1_000_000) / format.clockRateHz;
      slownessUs = Math.max(slownessUs, saidUs - (later.arrivalUs - packet.arrivalUs));
    }
    return slownessUs > maxSlownessUs ? 0 : Math.round(slownessUs);
  }

  /** Tells a pause from a stall. */
  #resume(first: Waiting<Packet>, ended: boolean): boolean {
    const { sequenceNumber, rtpTime, arrivalUs } = first.packet;
    const lag = this.timeline.lagSamples(sequenceNumber, rtpTime, arrivalUs) ?? 0;
    const followers = this.#within(first, pauseWindowUs);
    const lagOf = (each: Waiting<Packet>): number => lag + this.#laterSamples(first, each);
    const lagAfter = Math.min(...followers.map(lagOf));
    const { known } = this.#lags;
    const lagBefore = Math.min(...known);
    const latestBefore = Math.max(...known);
    const isLong = lag - latestBefore > this.#samplesOf(maxJumpUs);
    const jitter = this.#samplesOf(pauseSlackUs) + latestBefore - lagBefore;
    const preRoll = jitter + this.#samplesOf(maxPreRollUs);
    const spoken = followers.find(({ packet }) => packet.arrivalUs - arrivalUs > preRollWindowUs);
    const catchesUp =
      lagAfter - latestBefore <= this.#minPauseSamples ||
      lag - lagAfter > Math.max(preRoll, isLong ? this.#samplesOf(minCatchUpUs) : 0) ||
      (!isLong && spoken !== undefined && lagOf(spoken) - lagAfter > jitter);
    if (catchesUp) return this.#beginStall(first, lag);
    if (!ended && !this.#isOver(first, pauseWindowUs)) return false;
    if (followers.length < minPausePackets) return true;
    if (this.#isBurst(first, followers)) return this.#beginStall(first, lag, followers.at(-1));
    const samples = Math.round(lagAfter - Math.max(lagBefore, -this.#samplesOf(maxPauseLeadUs)));
    if (samples <= this.#minPauseSamples) return true;
    const { packet } = this.#within(first, startWindowUs)
      .filter((each) => each === first || isBefore(each.packet, first.packet))
      .filter((each) => this.#isAhead(each.packet))
      .reduce((a, b) => (isBefore(b.packet, a.packet) ? b : a), first);
    this.timeline.resume(packet.sequenceNumber, packet.rtpTime, samples);
    return true;
  }

  /** RTP time counts from `first` on; up to `last`, if what follows is to be decided anew. */
  #beginStall({ packet }: Waiting<Packet>, lag: number, last?: Waiting<Packet>): true {
    const { known } = this.#lags;
    const untilUs = last?.packet.arrivalUs ?? Number.POSITIVE_INFINITY;
    const latestBefore = Math.max(...known);
    this.#stall = { latestBefore, lag, leastLag: lag, leastUs: packet.arrivalUs, untilUs };
    this.timeline.catchUp(Math.min(...known));
    return true;
  }

  /** Whether they came far faster than they can have been spoken. */
  #isBurst(first: Waiting<Packet>, followers: readonly Waiting<Packet>[]): boolean {
    const ticks = followers.map(({ packet }) => timestampDelta(first.packet.rtpTime, packet.rtpTime));
    const spokenUs = (Math.max(...ticks) * 1_000_000) / first.format.clockRateHz;
    const elapsedUs = (followers.at(-1) ?? first).packet.arrivalUs - first.packet.arrivalUs;
    return elapsedUs * minBurstSpeed <= spokenUs;
  }

  /** How much more `later` is behind its RTP time than `first`, in samples. */
  #laterSamples(first: Waiting<Packet>, later: Waiting<Packet>): number {
    const ticks = timestampDelta(first.packet.rtpTime, later.packet.rtpTime);
    const elapsedUs = later.packet.arrivalUs - first.packet.arrivalUs;
    return (
      ((elapsedUs / 1_000_000) * first.format.clockRateHz - ticks) * (this.#rateHz / first.format.clockRateHz)
    );
  }

  /** Whether RTP time places it behind all audio. */
  #isAhead({ sequenceNumber, rtpTime, arrivalUs }: Packet): boolean {
    return this.timeline.lagSamples(sequenceNumber, rtpTime, arrivalUs) !== undefined;
  }

  /** `first`, and what waits of the same stream that arrived within so long a time. */
  #within(first: Waiting<Packet>, windowUs: number): Waiting<Packet>[] {
    const { ssrc, clockRateHz } = first.format;
    return this.#waiting.filter(
      ({ packet, format }) =>
        packet.arrivalUs - first.packet.arrivalUs <= windowUs &&
        format.ssrc === ssrc &&
        format.clockRateHz === clockRateHz,
    );
  }

  #isOver(first: Waiting<Packet>, windowUs: number): boolean {
    const lastUs = this.#waiting.at(-1)?.packet.arrivalUs ?? 0;
    return lastUs - first.packet.arrivalUs > windowUs || this.#waiting.length >= maxWaiting;
  }

  /** @param arrivalUs when it came, or would have come */
  #place(packet: Packet, format: TrackFormat, arrivalUs = packet.arrivalUs): void {
    this.#tell(format);
    const { sequenceNumber, rtpTime, durationTicks } = packet;
    const placement = this.timeline.place(sequenceNumber, rtpTime, arrivalUs, durationTicks);
    if (!placement) return;
    const lag = this.#samplesOf(arrivalUs) - placement.atSample;
    if (!this.#stall || this.#isOverStall(this.#stall, lag, arrivalUs)) {
      this.#endStall();
      this.#lags.add(lag);
    }
    this.#placed(packet, placement);
  }

  /** What is no longer late, or does not come nearer any more, is as late as packets are now. */
  #isOverStall(stall: Stall, lag: number, arrivalUs: number): boolean {
    stall.lag = lag;
    if (lag < stall.leastLag - this.#samplesOf(pauseSlackUs)) {
      stall.leastLag = lag;
      stall.leastUs = arrivalUs;
    }
    return (
      lag - stall.latestBefore <= this.#samplesOf(pauseSlackUs) || arrivalUs - stall.leastUs > pauseWindowUs
    );
  }

  #endStall(): void {
    if (!this.#stall) return;
    this.#stall = undefined;
    this.timeline.catchUp(undefined);
  }

  #tell(format: TrackFormat): void {
    const told = this.#toldFormat;
    if (format === told) return;
    // Another stream's jitter says nothing of this one's.
    if (told && (format.ssrc !== told.ssrc || format.clockRateHz !== told.clockRateHz)) {
      this.#lags.clear();
      this.#endStall();
    }
    this.#toldFormat = format;
    this.timeline.format(format);
  }

  #samplesOf(timeUs: number): number {
    return Math.round((timeUs * this.#rateHz) / 1_000_000);
  }
}

function isBefore(packet: TrackPacket, other: TrackPacket): boolean {
  const delta = sequenceDelta(other.sequenceNumber, packet.sequenceNumber);
  return delta < 0 && delta >= -maxMisorderPackets && timestampDelta(packet.rtpTime, other.rtpTime) >= 0;
}
