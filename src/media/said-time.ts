import { timestampDelta, toRtpTimestamp } from '../rtp/sequence.ts';
import type { PacketSeries } from '../timeline/packet-series.ts';

/** What is later than this belongs to a stream whose clock stood still, unless those behind it catch up. */
const longestDelayUs = 1_000_000;
/** And nothing is held up for longer by the network. */
export const longestStallUs = 12_000_000;
/** The fastest packet counts for one to two of these, so that clocks may drift and routes change. */
const windowUs = 5_000_000;
/** A stream that went on at its own pace for so long is not the end of a burst. */
const settlingUs = 40_000;
/** Packets of a burst come faster by so much than they were said. */
const catchUpUs = 10_000;
/** A peer that changes its stream over and over again is known by the last ones. */
const maxStreams = 4;

interface Stream {
  ssrc: number;
  clockRateHz: number;
  /** Of the last packet; what it is without wrapping, in microseconds. */
  rtpTime: number;
  rtpUs: number;
  /** The least of arrival and RTP time apart, in this window and in the one before. */
  least: number;
  leastBefore: number;
  windowSinceUs: number;
  /** Since when the stream came at its own pace. */
  pacedSinceUs: number;
  isSettled: boolean;
  /** The same of packets later than any delay; `aloofSinceUs` -1: there are none. */
  aloofLeast: number;
  aloofSinceUs: number;
}

/**
 * When the packets of a leg were said, on our own clock: each as if it had come by the fastest way of its stream. What
 * the network holds up, or turns round, is so known by its RTP time. It is no later than the arrival.
 */
export class SaidTime {
  /** The one of the last packet first. */
  readonly #streams: Stream[] = [];
  /** Of the last packet, monotonic microseconds. */
  saidUs = 0;
  /** False: its stream is too new to tell. */
  isSettled = false;

  /** Every packet of audio or comfort noise, in the order of arrival. */
  took(ssrc: number, clockRateHz: number, rtpTime: number, arrivalUs: number): void {
    const last = this.#streams[0];
    if (last?.ssrc === ssrc && last.clockRateHz === clockRateHz && this.#goesOn(last, rtpTime, arrivalUs))
      return;
    const stream = this.#stream(ssrc, clockRateHz, rtpTime, arrivalUs);
    stream.rtpUs += ticksUs(rtpTime, stream);
    stream.rtpTime = rtpTime;
    const apart = arrivalUs - stream.rtpUs;
    const lagUs = apart - Math.min(stream.least, stream.leastBefore);
    if (lagUs > longestDelayUs && isOfOtherTime(stream, apart, arrivalUs, lagUs)) measureAnew(stream, apart);
    else if (lagUs <= longestDelayUs) stream.aloofSinceUs = -1;
    this.saidUs = arrivalUs - Math.max(0, apart - Math.min(stream.least, stream.leastBefore));
    notePace(stream, apart, arrivalUs);
    this.isSettled = stream.isSettled;
  }

  /**
   * The rest of `took` in short, of a stream at its own pace, as nearly all are: a number of more than 31 bits, or one
   * that is not whole, becomes an object wherever a function is called with it. That was a fifth of the tick thread's
   * garbage.
   * @returns false for any other
   */
  #goesOn(stream: Stream, rtpTime: number, arrivalUs: number): boolean {
    if (!stream.isSettled || stream.aloofSinceUs >= 0 || arrivalUs - stream.windowSinceUs >= windowUs)
      return false;
    const rtpUs = stream.rtpUs + (((rtpTime - stream.rtpTime) | 0) * 1_000_000) / stream.clockRateHz;
    const apart = arrivalUs - rtpUs;
    const lagUs = apart - Math.min(stream.least, stream.leastBefore);
    if (lagUs > longestDelayUs) return false;
    stream.rtpUs = rtpUs;
    stream.rtpTime = rtpTime;
    stream.least = Math.min(stream.least, apart);
    this.saidUs = arrivalUs - Math.max(0, lagUs);
    this.isSettled = true;
    return true;
  }

  /** As `took`, of packets that go on with each other. */
  tookSeries(ssrc: number, clockRateHz: number, series: PacketSeries): void {
    const { count, payloadBytes: ticks } = series;
    let rtpTime = series.rtpTime;
    for (let i = 0; i < count; i++, rtpTime = (rtpTime + ticks) >>> 0) {
      const stream = this.#streams[0];
      const isLast = stream?.ssrc === ssrc && stream.clockRateHz === clockRateHz;
      const arrivalUs = series.arrivalUs(i);
      if (!isLast || !this.#goesOn(stream, rtpTime, arrivalUs))
        this.took(ssrc, clockRateHz, rtpTime, arrivalUs);
    }
  }

  /** When something else with this RTP time was said or pressed; undefined where the stream is not known. */
  at(ssrc: number, rtpTime: number, clockRateHz?: number): number | undefined {
    const stream = this.#streams.find(
      (each) => each.ssrc === ssrc && (clockRateHz ?? each.clockRateHz) === each.clockRateHz,
    );
    if (!stream) return undefined;
    return stream.rtpUs + ticksUs(rtpTime, stream) + Math.min(stream.least, stream.leastBefore);
  }

  #stream(ssrc: number, clockRateHz: number, rtpTime: number, arrivalUs: number): Stream {
    const last = this.#streams[0];
    if (last?.ssrc === ssrc && last.clockRateHz === clockRateHz) return last;
    const index = this.#streams.findIndex((each) => each.ssrc === ssrc && each.clockRateHz === clockRateHz);
    const stream =
      index < 0 ? newStream(ssrc, clockRateHz, rtpTime, arrivalUs) : this.#streams.splice(index, 1)[0]!;
    this.#streams.unshift(stream);
    if (this.#streams.length > maxStreams) this.#streams.pop();
    return stream;
  }
}

function newStream(ssrc: number, clockRateHz: number, rtpTime: number, arrivalUs: number): Stream {
  return {
    ...{ ssrc, clockRateHz, rtpTime, rtpUs: 0, isSettled: false },
    ...{ least: arrivalUs, leastBefore: arrivalUs, windowSinceUs: arrivalUs, pacedSinceUs: arrivalUs },
    ...{ aloofLeast: 0, aloofSinceUs: -1 },
  };
}

function ticksUs(rtpTime: number, stream: Stream): number {
  const ticks = timestampDelta(toRtpTimestamp(rtpTime), toRtpTimestamp(stream.rtpTime));
  return (ticks * 1_000_000) / stream.clockRateHz;
}

/** Whether a packet that is later than any delay is said now: the clock of a sender stood still or was set back. */
function isOfOtherTime(stream: Stream, apart: number, arrivalUs: number, lagUs: number): boolean {
  if (lagUs > longestStallUs) return true;
  if (stream.aloofSinceUs < 0 || apart < stream.aloofLeast - catchUpUs) {
    stream.aloofLeast = apart;
    stream.aloofSinceUs = arrivalUs;
    return false;
  }
  stream.aloofLeast = Math.min(stream.aloofLeast, apart);
  return arrivalUs - stream.aloofSinceUs >= settlingUs;
}

function measureAnew(stream: Stream, apart: number): void {
  const least = stream.aloofSinceUs < 0 ? apart : Math.min(apart, stream.aloofLeast);
  stream.least = least;
  stream.leastBefore = least;
  stream.aloofSinceUs = -1;
}

function notePace(stream: Stream, apart: number, arrivalUs: number): void {
  if (stream.aloofSinceUs >= 0) return;
  if (!stream.isSettled) {
    if (apart < Math.min(stream.least, stream.leastBefore) - catchUpUs) stream.pacedSinceUs = arrivalUs;
    stream.isSettled = arrivalUs - stream.pacedSinceUs >= settlingUs;
  }
  if (arrivalUs - stream.windowSinceUs < windowUs) {
    stream.least = Math.min(stream.least, apart);
    return;
  }
  stream.windowSinceUs = arrivalUs;
  stream.leastBefore = stream.least;
  stream.least = apart;
}
