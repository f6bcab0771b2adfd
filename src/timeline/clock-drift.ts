import {
  agreeDeviations,
  arrivalNoiseUs,
  correctionSettleSeconds,
  driftWindowUs,
  fastestPackets,
  maxCorrectionPpm,
  maxReportJumpUs,
  maxSlewPpm,
  minCorrectionStepPpm,
  minDriftWindowPackets,
  minOffsetUs,
  minOutlierUs,
  minReports,
  minSteerUs,
  noiseSpreads,
  offsetDeviations,
  reportNoiseUs,
  spreadWindows,
  variesWindows,
  wallClockPpm,
} from './bounds.ts';
import { type DriftEstimate, DriftFilter } from './drift-filter.ts';
import { ratePpmAt, type Stretch, stretchUs } from './stretch.ts';

/** A sender's word on its own clocks (RFC 3550 section 6.4.1), in microseconds of each. */
interface Report {
  wallUs: number;
  rtpUs: number;
  arrivalUs: number;
}

/**
 * How fast one RTP clock runs against the room's, and what to do about it.
 *
 *     arrivals -> the fastest packet of each second ------> DriftFilter -------------------+
 *     sender reports -> its wall clock less its RTP time -> DriftFilter, while they agree -+-> offset, drift
 *     offset beyond 2 ms, and sure? -> stretch, from then on
 *
 * A queue only ever delays packets, so the fastest of a second shows the way itself. A sender report knows no queue, but
 * tells of the sender's own wall clock only, and may lie. All times of the RTP clock are in its own microseconds.
 * Memory is constant.
 */
export class ClockDrift {
  readonly #arrivals = new DriftFilter();
  #reports: DriftFilter | undefined;
  #firstReport: Report | undefined;
  #lastReport: Report | undefined;
  /** Not measured yet: its level, and the RTP time at which it came. */
  #reportLevelUs: number | undefined;
  #reportedAtUs = 0;
  #reportNoiseUs = reportNoiseUs;
  // The present second.
  #isOpen = false;
  #packets = 0;
  #fromUs = 0;
  /** RTP time of the first packet. */
  #beganUs = Number.NaN;
  #lastUs = 0;
  /** Its shortest distances from RTP time to arrival, in rising order; and where the first of them is. */
  readonly #leastLagsUs = new Float64Array(fastestPackets);
  #leastAtUs = 0;
  /** Mean distance from one of these to the next: the fastest packet of a second varies by as much. */
  #spreadUs = 0;
  #windows = 0;
  /** How far the fastest packet of the last second lay from where it was expected. */
  #unexpectedUs = 0;
  /** Mean of how much that changes from one second to the next. */
  #variesUs = 0;
  #stretch: Stretch | undefined;
  #stretchedFromUs = 0;
  #correctedUs = 0;
  #seconds = 0;

  /** How RTP time is stretched from the packet on behind which it changed; undefined: there was nothing to correct. */
  get stretch(): Stretch | undefined {
    return this.#stretch;
  }

  /**
   * Mean drift since RTP time counts from an arrival: above 0, the sender's clock is slow.
   * @param deviationPpm undefined while it is not known as well as this (standard deviation)
   */
  meanPpm(deviationPpm: number): number | undefined {
    const { offsetUs, offsetDeviationUs } = this.#best();
    const isKnown = this.#seconds > 0 && offsetDeviationUs / this.#seconds <= deviationPpm;
    return isKnown && this.#windows > 0 ? (this.#correctedUs + offsetUs) / this.#seconds : undefined;
  }

  /** The next packet of the stream. @returns whether `stretch` changed behind it */
  packet(rtpUs: number, arrivalUs: number): boolean {
    const lagUs = arrivalUs - rtpUs;
    if (Number.isNaN(this.#beganUs)) this.#beganUs = rtpUs;
    if (!this.#isOpen) this.#beginWindow(rtpUs);
    this.#packets++;
    this.#lastUs = rtpUs;
    if (lagUs < this.#leastLagsUs[fastestPackets - 1]!) this.#keepLag(lagUs, rtpUs);
    if (rtpUs - this.#fromUs < driftWindowUs) return false;
    this.#endWindow();
    this.#beginWindow(rtpUs);
    return this.#steer();
  }

  /** What does not go along with the arrivals is forgotten, and all that was reported before. */
  report(report: Report): void {
    const { wallUs, rtpUs, arrivalUs } = report;
    const last = this.#lastReport;
    const wall = wallUs - (last?.wallUs ?? 0);
    const rtp = rtpUs - (last?.rtpUs ?? 0);
    if (wallUs === 0 || (wall === 0 && rtp === 0)) return;
    this.#lastReport = report;
    const isLie =
      wall <= 0 ||
      Math.abs(wall - rtp) > maxReportJumpUs ||
      Math.abs(wall - arrivalUs + (last?.arrivalUs ?? 0)) > maxReportJumpUs;
    if (!last || isLie) {
      this.#firstReport = report;
      this.#reports = undefined;
    }
    const first = this.#firstReport ?? report;
    this.#reports ??= new DriftFilter();
    this.#reportLevelUs = wallUs - first.wallUs - (rtpUs - first.rtpUs);
    this.#reportedAtUs = this.#lastUs;
  }

  /** RTP time stood still: what comes now has the place that what came before had. */
  resume(): void {
    this.#advance();
    this.#isOpen = false;
    this.#arrivals.relevel();
    this.#forgetReports();
  }

  /** RTP time counts from an arrival again. */
  restart(): void {
    this.resume();
    this.#arrivals.clearOffset();
    this.#correctedUs = 0;
    this.#seconds = 0;
  }

  #forgetReports(): void {
    this.#reports = undefined;
    this.#lastReport = undefined;
    this.#reportLevelUs = undefined;
  }

  #beginWindow(rtpUs: number): void {
    this.#isOpen = true;
    this.#packets = 0;
    this.#fromUs = rtpUs;
    this.#leastLagsUs.fill(Number.POSITIVE_INFINITY);
  }

  #keepLag(lagUs: number, rtpUs: number): void {
    const lags = this.#leastLagsUs;
    let at = fastestPackets - 1;
    for (; at > 0 && lags[at - 1]! > lagUs; at--) lags[at] = lags[at - 1]!;
    lags[at] = lagUs;
    if (at === 0) this.#leastAtUs = rtpUs;
  }

  /** @returns that of this window; one packet that took another way does not make the others vary */
  #spread(): number {
    const lags = this.#leastLagsUs;
    const spreadUs = (lags[fastestPackets - 1]! - lags[0]!) / (fastestPackets - 1);
    this.#windows++;
    const usualUs = Math.min(spreadUs, arrivalNoiseUs + 2 * this.#spreadUs);
    this.#spreadUs += (usualUs - this.#spreadUs) / Math.min(this.#windows, spreadWindows);
    return spreadUs;
  }

  /** @returns how much seconds differ from one to the next: a sender may have several packets out early now and then */
  #varies(lagUs: number): number {
    const unexpectedUs = this.#arrivals.unexpected(lagUs);
    const changeUs = Math.min(minOutlierUs, Math.abs(unexpectedUs - this.#unexpectedUs));
    this.#unexpectedUs = unexpectedUs;
    this.#variesUs += (changeUs - this.#variesUs) / variesWindows;
    return this.#variesUs;
  }

  #endWindow(): void {
    this.#advance();
    if (this.#packets >= minDriftWindowPackets) {
      const spreadUs = this.#spread();
      // Where packets differ so much, the fastest is likely to be as much slower than it could have been.
      const lagUs = this.#leastLagsUs[0]! - spreadUs + this.#sinceUs(this.#leastAtUs, this.#arrivals);
      const withinUs = noiseSpreads * Math.max(spreadUs, this.#spreadUs);
      const noiseUs = Math.max(Math.hypot(arrivalNoiseUs, withinUs), this.#varies(lagUs));
      this.#arrivals.measure(lagUs, noiseUs);
    }
    if (this.#reports && this.#reportLevelUs !== undefined) this.#measureReport(this.#reports);
  }

  #measureReport(reports: DriftFilter): void {
    const levelUs = (this.#reportLevelUs ?? 0) + this.#sinceUs(this.#reportedAtUs, reports);
    this.#reportLevelUs = undefined;
    const difference = reports.measure(levelUs, this.#reportNoiseUs);
    if (reports.measures < 2) return;
    this.#reportNoiseUs += (Math.max(reportNoiseUs, 1.25 * Math.abs(difference)) - this.#reportNoiseUs) / 8;
  }

  /** What drift added since a moment of the RTP clock. */
  #sinceUs(atUs: number, filter: DriftFilter): number {
    return (filter.driftPpm * (this.#lastUs - atUs)) / 1_000_000;
  }

  #advance(): void {
    if (!this.#isOpen) return;
    const seconds = Math.max(0, this.#lastUs - this.#fromUs) / 1_000_000;
    const correctedUs = seconds > 0 ? this.#stretchedUs(this.#lastUs) - this.#stretchedUs(this.#fromUs) : 0;
    this.#arrivals.advance(seconds, correctedUs);
    this.#reports?.advance(seconds, correctedUs);
    this.#correctedUs += correctedUs;
    this.#seconds += seconds;
  }

  #stretchedUs(rtpUs: number): number {
    return this.#stretch ? stretchUs(this.#stretch, rtpUs - this.#stretchedFromUs) : 0;
  }

  #steer(): boolean {
    const { offsetUs, offsetDeviationUs, driftPpm } = this.#best();
    const isSure = Math.abs(offsetUs) > Math.max(minOffsetUs, offsetDeviations * offsetDeviationUs);
    const present = this.#stretch;
    if (!present && (!isSure || this.#lastUs - this.#beganUs < minSteerUs)) return false;
    const followed = within(driftPpm, maxCorrectionPpm);
    const wantedPpm = within(offsetUs / correctionSettleSeconds, maxSlewPpm);
    const slewPpm = within(followed + wantedPpm, maxCorrectionPpm) - followed;
    // No longer than it takes: what follows may be minutes of silence.
    const slewUs = slewPpm === 0 ? 0 : Math.abs(offsetUs / slewPpm) * 1_000_000;
    const presentPpm = present && ratePpmAt(present, this.#lastUs - this.#stretchedFromUs);
    if (presentPpm !== undefined && Math.abs(followed + slewPpm - presentPpm) < minCorrectionStepPpm)
      return false;
    this.#stretch = { driftPpm: followed, slewPpm, slewUs };
    this.#stretchedFromUs = this.#lastUs;
    return true;
  }

  /** By both, while they agree. */
  #best(): DriftEstimate {
    const arrivals = this.#arrivals;
    const reports = this.#reports;
    if (!reports || reports.measures < minReports) return arrivals.estimate();
    const { driftPpm } = reports;
    // A wall clock is not the room's.
    const deviationPpm = Math.hypot(reports.driftDeviationPpm, wallClockPpm);
    const bearablePpm = agreeDeviations * Math.hypot(deviationPpm, arrivals.driftDeviationPpm);
    const isLie = Math.abs(driftPpm - arrivals.driftPpm) > bearablePpm;
    return arrivals.estimate(isLie ? undefined : { driftPpm, deviationPpm });
  }
}

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
