import { randomOf } from './test-random.ts';
import { TrackPlacer } from './track-placer.ts';
import type { TrackTimeline } from './track-timeline.ts';

/*
 * A sender whose clock runs at its own speed, and its way to the room. Where a packet belongs is known because it was
 * spoken there: nothing of it comes from the timeline. For tests only.
 */

export const frame = 160;
export const rateHz = 8000;
const frameUs = 20_000;
/** From mouth to room, where nothing disturbs. */
const delayUs = 60_000;

export type Random = () => number;

export interface DriftingCall {
  /** Above 0: the sender's clock is slow, its seconds are longer than the room's. */
  ppm: number;
  minutes: number;
  seed?: number;
  /** How much later than others a packet comes. */
  jitterUs?: (random: Random) => number;
  /** How much longer the way is, by the second of the call. */
  detourUs?: (second: number) => number;
  /** Arrivals are seen on ticks of this length only. */
  tickUs?: number;
  lossRate?: number;
  /** Before frame `k`: so many frames are not sent, RTP time goes on. */
  restFrames?: (k: number) => number;
  /** Before frame `k`: so much time passes, RTP time stands still. */
  frozenMs?: (k: number) => number;
  /** What the sender says of its clocks every 5 s: wall clock and RTP time, both in microseconds of the room's clock. */
  report?: (clock: { nowUs: number; rtpUs: number; random: Random }) => { wallUs: number; rtpUs: number };
}

/** For each packet that has a place, in the order it was spoken. */
export interface PlacedCall {
  spoken: number[];
  /** In samples: where it should begin, and where it does. */
  truth: Float64Array;
  at: Int32Array;
  samples: Int32Array;
  /** How many were stretched. */
  corrected: number;
  /** RTP time from the first to behind the last packet, in samples. */
  accountSamples: number;
  timeline: TrackTimeline;
}

interface Event {
  arrivalUs: number;
  k: number;
  report?: { wallUs: number; rtpUs: number };
}

export function placeCall(call: DriftingCall): PlacedCall {
  const { truth, rtp, events } = sent(call);
  const at = new Int32Array(truth.length).fill(-1);
  const samples = new Int32Array(truth.length);
  let corrected = 0;
  const placer = new TrackPlacer({ rateHz, startSample: 0 }, (packet: Offered, placement) => {
    if (at[packet.k] !== -1) throw new Error(`packet ${packet.k} was placed twice`);
    at[packet.k] = placement.atSample;
    samples[packet.k] = placement.durationSamples;
    if (placement.exact) corrected++;
  });
  placer.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 1 });
  const offered: Offered = { k: 0, sequenceNumber: 0, rtpTime: 0, arrivalUs: 0, durationTicks: frame };
  for (const { k, arrivalUs, report } of events) {
    if (report) {
      const ntpSeconds = Math.floor(report.wallUs / 1e6);
      const ntpFraction = Math.floor(((report.wallUs - ntpSeconds * 1e6) / 1e6) * 2 ** 32);
      const rtpTime = (firstTime + Math.round((report.rtpUs * rateHz) / 1e6)) >>> 0;
      placer.report({ ssrc: 1, ntpSeconds, ntpFraction, rtpTime, arrivalUs });
      continue;
    }
    offered.k = k;
    offered.sequenceNumber = (65_000 + k) & 0xffff;
    offered.rtpTime = (firstTime + rtp[k]!) >>> 0;
    offered.arrivalUs = arrivalUs;
    placer.offer(offered);
  }
  placer.finish();
  const spoken = [...at.keys()].filter((k) => at[k] !== -1);
  const accountSamples = rtp[spoken.at(-1)!]! + frame - rtp[spoken[0]!]!;
  return { spoken, truth, at, samples, corrected, accountSamples, timeline: placer.timeline };
}

interface Offered {
  k: number;
  sequenceNumber: number;
  rtpTime: number;
  arrivalUs: number;
  durationTicks: number;
}

const firstTime = 2 ** 32 - 1_000_000;

function sent(call: DriftingCall): { truth: Float64Array; rtp: Float64Array; events: Event[] } {
  const { ppm, minutes, seed = 1, jitterUs, detourUs, tickUs = 1, lossRate = 0, report } = call;
  const random = randomOf(seed);
  const frames = minutes * 3000;
  const truth = new Float64Array(frames);
  const rtp = new Float64Array(frames);
  const events: Event[] = [];
  let rtpFrames = 0;
  let frozenUs = 0;
  let nextReportUs = 2_500_000;
  for (let k = 0; k < frames; k++, rtpFrames++) {
    rtpFrames += call.restFrames?.(k) ?? 0;
    frozenUs += 1000 * (call.frozenMs?.(k) ?? 0);
    const spokenUs = rtpFrames * frameUs * (1 + ppm / 1e6) + frozenUs;
    truth[k] = ((spokenUs + delayUs) * rateHz) / 1e6;
    rtp[k] = rtpFrames * frame;
    const lateUs = delayUs + (detourUs?.(spokenUs / 1e6) ?? 0);
    // The first and the last packets come: they are counted with.
    const isLost = random() < lossRate && k > 50 && k < frames - 50;
    const arrivalUs = Math.ceil((spokenUs + lateUs + (jitterUs?.(random) ?? 0)) / tickUs) * tickUs;
    if (!isLost) events.push({ k, arrivalUs });
    if (!report || spokenUs < nextReportUs) continue;
    nextReportUs += 5_000_000;
    events.push({
      k,
      arrivalUs: spokenUs + lateUs,
      report: report({ nowUs: spokenUs, rtpUs: rtpFrames * frameUs, random }),
    });
  }
  events.sort((a, b) => a.arrivalUs - b.arrivalUs);
  return { truth, rtp, events };
}

/** How far the packets lie from where they were spoken, in ms: the earliest and the latest one. */
export function errorsMs({ spoken, truth, at }: PlacedCall, fromSecond = 0): { least: number; most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const k of spoken) {
    if (truth[k]! < fromSecond * rateHz) continue;
    const errorMs = ((at[k]! - truth[k]!) * 1000) / rateHz;
    least = Math.min(least, errorMs);
    most = Math.max(most, errorMs);
  }
  return { least, most };
}

/** Mean 20 ms, as of a queue: most come soon, a few much later. */
export const queueing = (random: Random): number => -20_000 * Math.log(1 - random());
/** Mean 20 ms, anything up to 40. */
export const evenly = (random: Random): number => 40_000 * random();
