import { anchorSlackUs, knownDriftPpm, maxDropoutPackets, maxMisorderPackets, maxRuns } from './bounds.ts';
import type { ClockReport } from './clock-report.ts';
import { type HoleCause, Holes } from './holes.ts';
import type { Lags } from './lags.ts';
import { MarkList } from './mark-list.ts';
import { gapMark, type TimelineMark } from './marks.ts';
import type { PacketSeries } from './packet-series.ts';
import { type Placement, placementOf } from './placement.ts';
import { RtpRun, sequenceDelta } from './rtp-run.ts';
import { type SampleBounds, sampleBounds } from './sample-bounds.ts';
import type { TimelineCounters } from './timeline-counters.ts';
import type { TrackFormat } from './track-format.ts';

interface OfferedPacket {
  sequenceNumber: number;
  rtpTime: number;
  arrivalUs: number;
  arrivalSample: number;
  durationTicks: number;
}

/**
 * Maps the packets of one track, in order of arrival, to sample positions on the room's clock. The first packet of a
 * clock lies at its arrival, from there RTP time counts, as long as arrival agrees within bounds (`bounds.ts`), and by
 * the room's clock where the sender's drifts (`clock-drift.ts`).
 *
 *     packet -> which run (SSRC, clock)? -> ahead of all audio: RTP time, or arrival if the two disagree -> append
 *                                        -> behind it: a duplicate, or into the hole it left
 *
 * Pure: no clock, no audio. Memory does not grow with the length of the call.
 */
export class TrackTimeline {
  readonly #rateHz: number;
  readonly #startSample: number;
  readonly #bounds: SampleBounds;
  readonly #counters: TimelineCounters = {
    packets: 0,
    duplicates: 0,
    reordered: 0,
    lostPackets: 0,
    gapSamples: 0,
    late: 0,
    early: 0,
  };
  readonly #holes = new Holes();
  readonly #marks = new MarkList();
  /** Newest last; the last one is where the stream goes on. */
  readonly #runs: RtpRun[] = [];
  /** The packet that is being placed. */
  readonly #offered: OfferedPacket = {
    sequenceNumber: 0,
    rtpTime: 0,
    arrivalUs: 0,
    arrivalSample: 0,
    durationTicks: 0,
  };
  #format: TrackFormat | undefined;
  #endSample: number;
  #arrivalSample = 0;
  /** The next packet that is placed behind all audio follows a pause without RTP time. */
  #resumes = false;
  /** While packets of a stall catch up: how late they were before it, in samples. */
  #lagBeforeStall: number | undefined;
  /** A second stale packet with this number shows that the sender began again (RFC 3550 A.1). */
  #suspectNext = -1;

  constructor({ rateHz, startSample }: { rateHz: number; startSample: number }) {
    this.#rateHz = rateHz;
    this.#startSample = startSample;
    this.#endSample = startSample;
    this.#bounds = sampleBounds(rateHz);
  }

  /** End of the last packet placed; `startSample` before the first. */
  get endSample(): number {
    return this.#endSample;
  }

  get counters(): Readonly<TimelineCounters> {
    return this.#counters;
  }

  /** In order of position; the first 10,000 at most. */
  get marks(): TimelineMark[] {
    return this.#marks.with(this.#holes.open.flatMap(gapMark));
  }

  /** Mean drift of the sender's clock, above 0 where it is slow; undefined where it is not known yet. */
  get driftPpm(): number | undefined {
    return this.#runs.map((run) => run.driftPpm(knownDriftPpm)).findLast((ppm) => ppm !== undefined);
  }

  /** Says what the packets from here on are; at the start and at every change. */
  format(format: TrackFormat): void {
    this.#format = { ...format };
  }

  /**
   * No packet that arrives at or after `nowSample` will be placed before the returned position: it lies behind all
   * audio, or in a hole. A packet lies at most `maxStallUs` before its arrival, a late one a further `reorderHorizonUs`.
   */
  settledSample(nowSample: number): number {
    const byTime = this.settledByTime(nowSample);
    if (this.#holes.open.length === 0) return Math.max(byTime, this.#endSample);
    const horizon = this.#endSample - this.#bounds.horizonSamples;
    const hole = this.#holes.open.find(({ toSample }) => toSample > horizon);
    const byHoles = hole ? Math.max(hole.fromSample, horizon) : this.#endSample;
    return Math.max(byTime, byHoles);
  }

  /** As far as time alone settles it, whatever was placed. */
  settledByTime(nowSample: number): number {
    // Nothing was held up of a stream that has not begun: it will lie at its arrival.
    const backSamples = this.#runs.length === 0 ? this.#bounds.maxLagSamples : this.#bounds.maxStallSamples;
    return Math.max(this.#startSample, nowSample - backSamples - this.#bounds.horizonSamples);
  }

  /** Whether the next packet is the first of its SSRC and clock. */
  get beginsRun(): boolean {
    return this.#run() === undefined;
  }

  /**
   * How much later than RTP time says a packet arrives, in samples; undefined where RTP time can not place it, whatever
   * follows.
   */
  lagSamples(sequenceNumber: number, rtpTime: number, arrivalUs: number): number | undefined {
    const run = this.#run();
    if (!run || run !== this.#runs.at(-1)) return undefined;
    if (sequenceDelta(run.latest.sequence & 0xffff, sequenceNumber) <= 0) return undefined;
    const sample = run.sampleAt(run.extendSequence(sequenceNumber), run.extendTime(rtpTime));
    const arrivalSample = Math.max(this.#arrivalSample, this.#samplesOf(arrivalUs));
    if (sample === undefined || sample < this.#endSample) return undefined;
    const lag = arrivalSample - sample;
    const mayBeStall = lag > 0 && lag <= this.#bounds.maxStallSamples;
    return mayBeStall || this.#trusts(run, sample, arrivalSample) ? lag : undefined;
  }

  /**
   * As `lagSamples`, in short, of a packet that goes on where the last one ended, of a stream in which nothing is open;
   * NaN for any other, of which only the long way tells.
   */
  steadyLagSamples(sequenceNumber: number, rtpTime: number, arrivalUs: number): number {
    const run = this.#steadyRun();
    if (!run) return Number.NaN;
    const { latest } = run;
    const sequence = latest.sequence + 1;
    if ((sequence & 0xffff) !== sequenceNumber) return Number.NaN;
    const sample = run.sampleAt(sequence, run.extendTime(rtpTime));
    if (sample !== this.#endSample || sample < this.#startSample) return Number.NaN;
    const arrivalSample = Math.max(this.#arrivalSample, this.#samplesOf(arrivalUs));
    const lag = arrivalSample - sample;
    if (lag > this.#bounds.maxLagSamples || -lag > this.#bounds.maxLeadSamples) return Number.NaN;
    return this.#agrees(run, sample, arrivalSample) ? lag : Number.NaN;
  }

  /** As `place`, in short, of a packet whose `steadyLagSamples` is known and behind which no other was placed. */
  placeSteady(sequenceNumber: number, rtpTime: number, arrivalUs: number, durationTicks: number): Placement {
    const run = this.#runs.at(-1) as RtpRun;
    const packet = this.#offer(sequenceNumber, rtpTime, arrivalUs, durationTicks);
    const sequence = run.latest.sequence + 1;
    const ticks = run.extendTime(rtpTime);
    const sample = this.#endSample;
    const endSample = run.sampleAt(sequence, ticks + durationTicks) ?? sample;
    const exact = run.exactSpan(sequence, ticks, durationTicks);
    this.#marks.placed(this.#format as TrackFormat, sample);
    run.advance(sequence, packet, sample);
    this.#endSample = endSample;
    this.#suspectNext = -1;
    return placementOf(sample, endSample - sample, exact);
  }

  /**
   * As `steadyLagSamples` and `placeSteady`, of packets of a series from one on, each no more than `maxStepSamples`
   * later than the one before.
   * @returns how many have their place, one behind the other from where all audio ended
   */
  placeSeries(series: PacketSeries, from: number, lags: Lags, maxStepSamples: number): number {
    const run = this.#steadyRun();
    const { payloadBytes } = series;
    const sequenceNumber = (series.sequenceNumber + from) & 0xffff;
    const rtpTime = (series.rtpTime + from * payloadBytes) >>> 0;
    const sample = this.#endSample;
    if (run?.clockRateHz !== this.#rateHz || sample < this.#startSample) return 0;
    if (!run.goesOn(sequenceNumber, rtpTime, sample)) return 0;
    const behind = { sample, arrivalSample: this.#arrivalSample, maxStepSamples };
    const count = run.advanceSeries(series, from, lags, behind, this.#bounds);
    if (count === 0) return 0;
    this.#counters.packets += count;
    this.#arrivalSample = run.latest.arrivalSample;
    this.#endSample = sample + count * payloadBytes;
    this.#marks.placed(this.#format as TrackFormat, sample);
    this.#suspectNext = -1;
    return count;
  }

  /** Whether a packet of a stream that goes on would lie at its arrival, as RTP time can not place it. */
  isAnchored(sequenceNumber: number, rtpTime: number, arrivalUs: number): boolean {
    const run = this.#run();
    if (!run || run !== this.#runs.at(-1)) return false;
    const delta = sequenceDelta(run.latest.sequence & 0xffff, sequenceNumber);
    if (delta <= 0 || delta > maxDropoutPackets) return false;
    if (this.lagSamples(sequenceNumber, rtpTime, arrivalUs) !== undefined) return false;
    return Math.max(run.latest.sample, this.#endSample) > this.#startSample;
  }

  /**
   * From here on packets that were held up catch up with those before them, which were so late: RTP time counts.
   * @param lagSamples undefined: no more
   */
  catchUp(lagSamples: number | undefined): void {
    this.#lagBeforeStall = lagSamples;
  }

  /** From this packet on, which `lagSamples` knows, RTP time counts from so many samples later: it stood still. */
  resume(sequenceNumber: number, rtpTime: number, samples: number): void {
    const run = this.#run();
    if (!run) return;
    const sequence = run.extendSequence(sequenceNumber);
    const ticks = run.extendTime(rtpTime);
    run.resume(sequence, ticks, samples);
    this.#resumes = true;
  }

  /**
   * Places one packet. Sequence number and timestamp are as on the wire; `arrivalUs` is on the room's clock;
   * `durationTicks` is its length in ticks of its RTP clock (`payloadDurationTicks`).
   * @returns undefined for a duplicate or a packet that came unusably late
   */
  place(
    sequenceNumber: number,
    rtpTime: number,
    arrivalUs: number,
    durationTicks: number,
  ): Placement | undefined {
    if (!this.#format) throw new TypeError('place() before format()');
    const packet = this.#offer(sequenceNumber, rtpTime, arrivalUs, durationTicks);
    const run = this.#run();
    if (!run) return this.#beginRun(packet);
    if (run !== this.#runs.at(-1)) return this.#placeReturning(run, packet);
    const delta = sequenceDelta(run.latest.sequence & 0xffff, sequenceNumber);
    return delta > 0 ? this.#placeAhead(run, packet) : this.#placeBehind(run, packet, delta);
  }

  #offer(sequenceNumber: number, rtpTime: number, arrivalUs: number, durationTicks: number): OfferedPacket {
    this.#counters.packets++;
    this.#arrivalSample = Math.max(this.#arrivalSample, this.#samplesOf(arrivalUs));
    const packet = this.#offered;
    packet.sequenceNumber = sequenceNumber;
    packet.rtpTime = rtpTime;
    packet.arrivalUs = arrivalUs;
    packet.arrivalSample = this.#arrivalSample;
    packet.durationTicks = durationTicks;
    return packet;
  }

  /** What the sender says of its clocks. */
  report(report: ClockReport): void {
    const run = this.#runs.at(-1);
    if (run?.ssrc === report.ssrc) run.report(report);
  }

  /** The newest of the present SSRC and clock. */
  #run(): RtpRun | undefined {
    const { ssrc, clockRateHz } = this.#format as TrackFormat;
    const last = this.#runs.at(-1);
    if (last?.ssrc === ssrc && last.clockRateHz === clockRateHz) return last;
    return this.#runs.findLast((each) => each.ssrc === ssrc && each.clockRateHz === clockRateHz);
  }

  /** The run that goes on, where nothing lies open in it: no hole, no pause, no stall. */
  #steadyRun(): RtpRun | undefined {
    if (this.#resumes || this.#lagBeforeStall !== undefined || this.#holes.open.length > 0) return undefined;
    const run = this.#runs.at(-1);
    const format = this.#format;
    return run && run.ssrc === format?.ssrc && run.clockRateHz === format.clockRateHz ? run : undefined;
  }

  /** A new SSRC, clock or sequence: its first packet lies at its arrival. */
  #beginRun(packet: OfferedPacket): Placement | undefined {
    const { ssrc, clockRateHz } = this.#format as TrackFormat;
    const first = this.#runs.length === 0;
    const sample = first ? this.#firstSample(packet) : this.#anchorSample(packet.arrivalSample);
    if (this.#leads(sample, packet)) return undefined;
    const run = new RtpRun({ ssrc, clockRateHz, rateHz: this.#rateHz }, { ...packet, sample });
    this.#runs.push(run);
    if (this.#runs.length > maxRuns) this.#runs.shift();
    if (sample < this.#startSample) return this.#passOver(run, packet, sample);
    return this.#append(run, packet, sample, first ? 'start' : 'jump');
  }

  /** The next packet of a run, or a later one: lost packets leave a hole. */
  #placeAhead(run: RtpRun, packet: OfferedPacket): Placement | undefined {
    const sequence = run.extendSequence(packet.sequenceNumber);
    const ticks = run.extendTime(packet.rtpTime);
    const sample = run.sampleAt(sequence, ticks) ?? this.#endSample;
    const skipped = sequence - run.latest.sequence - 1;
    if (this.#isBeforeTrack(run, sample, packet)) return this.#passOver(run, packet, sample);
    if (this.#trusts(run, sample, packet.arrivalSample)) {
      if (this.#leads(sample, packet)) return undefined;
      if (this.#resumes) return this.#append(run, packet, sample, 'jump');
      return this.#append(run, packet, sample, skipped > 0 ? 'loss' : 'pause');
    }
    if (skipped > maxDropoutPackets) return this.#placeForeign(packet);
    const anchored = this.#anchorSample(packet.arrivalSample);
    if (this.#leads(anchored, packet)) return undefined;
    run.anchor(sequence, ticks, anchored);
    return this.#append(run, packet, anchored, 'jump');
  }

  /** What came before the track began, by more than jitter, is not in it; what follows lies where it belongs. */
  #firstSample({ arrivalSample }: OfferedPacket): number {
    const isBefore = arrivalSample < this.#startSample - this.#samplesOf(anchorSlackUs);
    return isBefore ? arrivalSample : Math.max(this.#startSample, arrivalSample);
  }

  #isBeforeTrack(run: RtpRun, sample: number, { arrivalSample }: OfferedPacket): boolean {
    if (Math.max(sample, run.latest.sample) >= this.#startSample) return false;
    return arrivalSample - sample <= this.#bounds.maxLagSamples && this.#agrees(run, sample, arrivalSample);
  }

  #passOver(run: RtpRun, packet: OfferedPacket, sample: number): undefined {
    this.#counters.late++;
    run.advance(run.extendSequence(packet.sequenceNumber), packet, sample);
  }

  #agrees(run: RtpRun, sample: number, arrivalSample: number): boolean {
    const jump = sample - run.latest.sample;
    const elapsed = arrivalSample - run.latest.arrivalSample;
    return Math.abs(jump - elapsed) <= this.#bounds.maxJumpSamples;
  }

  /** RTP time against arrival: both from the packet before to this one, and all in all. */
  #trusts(run: RtpRun, sample: number, arrivalSample: number): boolean {
    if (sample < this.#endSample) return false;
    if (this.#lagBeforeStall !== undefined) {
      const lag = arrivalSample - sample;
      return lag >= this.#lagBeforeStall - this.#bounds.maxJumpSamples && lag <= this.#bounds.maxStallSamples;
    }
    if (!this.#agrees(run, sample, arrivalSample)) return false;
    if (arrivalSample - sample > this.#bounds.maxLagSamples) return false;
    // Audio that runs ahead is shortened where it is silent, never where it is contiguous.
    return sample === this.#endSample || sample - arrivalSample <= this.#bounds.maxLagSamples;
  }

  /** A sequence number at or before the farthest one. */
  #placeBehind(run: RtpRun, packet: OfferedPacket, delta: number): Placement | undefined {
    const sequence = run.extendSequence(packet.sequenceNumber);
    const timeWentOn = run.extendTime(packet.rtpTime) > run.latest.ticks;
    const wild = delta < -maxMisorderPackets;
    if (timeWentOn && (wild || !run.precedesAnchor(sequence))) {
      run.restartSequence(packet.sequenceNumber);
      return this.#placeAhead(run, packet);
    }
    if (wild) return this.#placeForeign(packet);
    return this.#placeLate(run, packet);
  }

  /** Neither ahead nor behind: a straggler of an earlier sequence of this SSRC, or the sender began again. */
  #placeForeign(packet: OfferedPacket): Placement | undefined {
    const { ssrc, clockRateHz } = this.#format as TrackFormat;
    const origin = this.#runs.slice(0, -1).findLast((run) => {
      if (run.ssrc !== ssrc || run.clockRateHz !== clockRateHz) return false;
      const sequence = run.extendSequence(packet.sequenceNumber);
      const sample = run.sampleAt(sequence, run.extendTime(packet.rtpTime));
      return (
        Math.abs(sequence - run.latest.sequence) <= maxMisorderPackets &&
        sample !== undefined &&
        Math.abs(this.#lateness(run, sample, packet)) <= this.#bounds.horizonSamples
      );
    });
    return origin ? this.#placeLate(origin, packet) : this.#beginRun(packet);
  }

  /** The SSRC of an earlier run: a straggler, or the stream goes back to it. */
  #placeReturning(run: RtpRun, packet: OfferedPacket): Placement | undefined {
    const sequence = run.extendSequence(packet.sequenceNumber);
    if (Math.abs(sequence - run.latest.sequence) > maxMisorderPackets) return this.#beginRun(packet);
    if (sequence <= run.latest.sequence) return this.#placeLate(run, packet);
    const ticks = run.extendTime(packet.rtpTime);
    const sample = run.sampleAt(sequence, ticks) ?? this.#endSample;
    const duration = run.samplesBetween(sequence, ticks, packet.durationTicks);
    const isStraggler =
      sample + duration <= this.#endSample &&
      this.#lateness(run, sample, packet) <= this.#bounds.horizonSamples &&
      !this.#isSecondSuspect(packet);
    if (isStraggler) return this.#fill(run, packet, sequence, ticks);
    this.#runs.splice(this.#runs.indexOf(run), 1);
    this.#runs.push(run);
    return this.#placeAhead(run, packet);
  }

  #placeLate(run: RtpRun, packet: OfferedPacket): Placement | undefined {
    const sequence = run.extendSequence(packet.sequenceNumber);
    const ticks = run.extendTime(packet.rtpTime);
    const sample = run.sampleAt(sequence, ticks);
    const tooLate = sample === undefined || this.#lateness(run, sample, packet) > this.#bounds.horizonSamples;
    const known = run.hasSeen(sequence);
    // What came before, or before the first packet, does not come again so late: more likely the sender began again.
    if (tooLate && (known || sequence < run.firstSequence) && this.#isSecondSuspect(packet)) {
      return this.#beginRun(packet);
    }
    if (known) this.#counters.duplicates++;
    else if (tooLate) this.#counters.late++;
    else return this.#fill(run, packet, sequence, ticks);
    return undefined;
  }

  /** Into the hole it left, as far as there is one. */
  #fill(run: RtpRun, packet: OfferedPacket, sequence: number, ticks: number): Placement | undefined {
    const sample = run.sampleAt(sequence, ticks) ?? -1;
    const duration = run.samplesBetween(sequence, ticks, packet.durationTicks);
    // Stragglers may each be later than the one before, all in all beyond what time has settled.
    const settled = this.settledSample(packet.arrivalSample);
    const taken = sample < settled ? undefined : this.#holes.take(sample, duration);
    if (!taken) {
      this.#counters.late++;
      return undefined;
    }
    const exact = run.exactSpan(sequence, ticks, packet.durationTicks);
    this.#suspectNext = -1;
    this.#counters.reordered++;
    if (taken.hole.cause === 'loss') this.#counters.gapSamples -= taken.samples;
    if (sequence > run.latest.sequence) {
      this.#counters.lostPackets += sequence - run.latest.sequence - 1;
      run.advance(sequence, packet, sample);
    } else {
      if (sequence >= run.firstSequence) this.#counters.lostPackets--;
      run.see(sequence);
    }
    return placementOf(sample, taken.samples, exact);
  }

  /** Behind all audio, after a hole where there is a distance. */
  #append(run: RtpRun, packet: OfferedPacket, sample: number, cause: HoleCause): Placement {
    const sequence = run.extendSequence(packet.sequenceNumber);
    const ticks = run.extendTime(packet.rtpTime);
    const durationSamples = run.samplesBetween(sequence, ticks, packet.durationTicks);
    const exact = run.exactSpan(sequence, ticks, packet.durationTicks);
    const holeSamples = sample - this.#endSample;
    this.#counters.lostPackets += sequence - run.latest.sequence - 1;
    if (cause === 'loss') this.#counters.gapSamples += holeSamples;
    if (holeSamples > 0) this.#holes.push({ cause, fromSample: this.#endSample, toSample: sample });
    this.#marks.placed(this.#format as TrackFormat, sample);
    if (cause === 'jump') this.#marks.add({ kind: 'jump', atSample: sample, samples: holeSamples });
    run.advance(sequence, packet, sample);
    this.#endSample = sample + durationSamples;
    this.#suspectNext = -1;
    this.#resumes = false;
    for (const hole of this.#holes.settle(this.#endSample - this.#bounds.horizonSamples)) {
      for (const mark of gapMark(hole)) this.#marks.add(mark);
    }
    return placementOf(sample, durationSamples, exact);
  }

  /** Where a clock begins that is known by arrival only. */
  #anchorSample(arrivalSample: number): number {
    const continues = arrivalSample <= this.#endSample + this.#samplesOf(anchorSlackUs);
    return continues ? this.#endSample : arrivalSample;
  }

  #leads(sample: number, packet: OfferedPacket): boolean {
    const leads = sample - packet.arrivalSample > this.#bounds.maxLeadSamples;
    if (leads) this.#counters.early++;
    return leads;
  }

  /** How much later it came than the farthest packet of its run, in samples. */
  #lateness(run: RtpRun, sample: number, packet: OfferedPacket): number {
    return packet.arrivalSample - run.latest.arrivalSample + run.latest.sample - sample;
  }

  #isSecondSuspect({ sequenceNumber }: OfferedPacket): boolean {
    const second = sequenceNumber === this.#suspectNext;
    this.#suspectNext = (sequenceNumber + 1) & 0xffff;
    return second;
  }

  #samplesOf(timeUs: number): number {
    return Math.round((timeUs * this.#rateHz) / 1_000_000);
  }
}
