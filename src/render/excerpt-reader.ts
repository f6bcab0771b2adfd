import { Concealer } from '../audio/concealment.ts';
import { Resampler } from '../audio/resample.ts';
import type { Decoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import type { GrowingTrack } from '../spool/growing-recording.ts';
import type { FormatRecord, PacketRecord, SenderReportRecord, SpoolRecord } from '../spool/records.ts';
import { knownDriftPpm } from '../timeline/bounds.ts';
import { ClockDrift } from '../timeline/clock-drift.ts';
import { wallClockUs } from '../timeline/clock-report.ts';
import { sequenceDelta, timestampDelta } from '../timeline/rtp-run.ts';
import { maxConcealedSeconds } from './loss.ts';
import { streamKey } from './stream-decoder.ts';

/** What came so much before an excerpt is read with it: packets come late, and decoders remember. */
const leadUs = 300_000;
/** Where RTP time and arrival differ by more, arrival counts. */
const maxLagSeconds = 0.5;
/** Of the samples before a loss that is concealed. */
const historySeconds = 0.1;
/** Of all readers of a thread: no packet of any codec decodes to more. */
let decoded = new Int16Array(5760);
let resampled = new Int16Array(0);
const nothing = new Int16Array(0);

export interface ExcerptReaderOptions {
  track: GrowingTrack;
  /** Of the recording. */
  rateHz: number;
  lossConcealment: 'on' | 'off';
}

/** One stream, as long as its source, codec and clock are the same. */
interface Run {
  key: string;
  clockRateHz: number;
  decoder: Decoder | undefined;
  drift: ClockDrift;
  /** Of the farthest packet. */
  time: number;
  sequence: number;
  /** Since the first. */
  ticks: number;
  /** RTP time counts from here. */
  anchorTicks: number;
  anchorSample: number;
}

/**
 * Excerpts of one track, for who measures rather than listens: each packet lies where RTP time puts it behind the first
 * one of its stream, which lies at its arrival, as long as both agree to half a second. Clocks that drift are not
 * followed, but their drift is told. What lies between excerpts is not decoded, nor looked at packet by packet.
 */
export class ExcerptReader {
  readonly #track: GrowingTrack;
  readonly #rateHz: number;
  readonly #conceals: boolean;
  #format: FormatRecord | undefined;
  #run: Run | undefined;
  #driftPpm: number | undefined;
  /** Where the last excerpt ended; what was read beyond it, and what of its last packet lies there. */
  #readTo = -1;
  #pending: SpoolRecord[] = [];
  #overhang: Int16Array = nothing;
  // Of the excerpt that is read.
  #out: Int16Array = nothing;
  #fromSample = 0;
  /** Where the packet that was placed last ends. */
  #placedTo = -1;
  #resampler: Resampler | undefined;
  #resampledTo = 0;

  constructor({ track, rateHz, lossConcealment }: ExcerptReaderOptions) {
    this.#track = track;
    this.#rateHz = rateHz;
    this.#conceals = lossConcealment === 'on';
  }

  /** How much slower the party's clock runs than the room's; undefined where it is not known. */
  get driftPpm(): number | undefined {
    return this.#run?.drift.meanPpm(knownDriftPpm) ?? this.#driftPpm;
  }

  /**
   * Fills `out` from `fromSample` on, silent where nothing was said. Excerpts follow one another; what the spool does
   * not hold yet is missed.
   * @throws CallreelError SPOOL_CORRUPT
   */
  read(fromSample: number, out: Int16Array): void {
    out.fill(0);
    const toSample = fromSample + out.length;
    const follows = fromSample === this.#readTo;
    this.#out = out;
    this.#fromSample = fromSample;
    this.#readTo = toSample;
    if (follows) this.#write(fromSample, this.#overhang);
    else this.#placedTo = -1;
    this.#overhang = nothing;
    const fromUs = this.#usOf(fromSample) - leadUs;
    const earlier = this.#pending;
    this.#pending = [];
    for (const record of earlier) this.#take(record, fromUs, toSample);
    this.#track.fromUs = fromUs;
    this.#track.untilUs = this.#usOf(toSample) + leadUs;
    for (let next = this.#track.next(); !next.done; next = this.#track.next())
      this.#take(next.value, fromUs, toSample);
    this.#endStretch();
    this.#out = nothing;
  }

  /** When the newest record arrived that is there, read or not; 0 where there is none. @throws as `read` */
  newestUs(): number {
    this.#track.untilUs = 0;
    for (let next = this.#track.next(); !next.done; next = this.#track.next()) this.#take(next.value, 0, 0);
    return this.#track.newestUs();
  }

  close(): void {
    this.#track.return();
    this.#run?.decoder?.close?.();
    this.#run = undefined;
  }

  #take(record: SpoolRecord, fromUs: number, toSample: number): void {
    if (this.#pending.length > 0) this.#pending.push({ ...record });
    else if (record.kind === 'format') this.#format = { ...record };
    else if (record.kind === 'sender-report') this.#report(record);
    else if (record.kind === 'packet' && record.arrivalUs >= fromUs && !this.#place(record, toSample))
      this.#pending.push({ ...record });
  }

  /** @returns false where it lies behind the excerpt */
  #place(packet: PacketRecord, toSample: number): boolean {
    const format = this.#format;
    if (!format || format.codec === 'CN') return true;
    const run = this.#runOf(format, packet);
    const ticks = run.ticks + timestampDelta(run.time, packet.rtpTime);
    const arrivalSample = Math.round((packet.arrivalUs * this.#rateHz) / 1_000_000);
    let atSample = this.#sampleAt(run, ticks);
    if (Math.abs(arrivalSample - atSample) > maxLagSeconds * this.#rateHz) {
      run.drift.restart();
      run.anchorTicks = ticks;
      run.anchorSample = atSample = Math.max(arrivalSample, Math.min(this.#placedTo, toSample));
    }
    if (atSample >= toSample) return false;
    const lost = sequenceDelta(run.sequence, packet.sequenceNumber) - 1;
    if (ticks >= run.ticks) {
      run.ticks = ticks;
      run.time = packet.rtpTime;
      run.sequence = packet.sequenceNumber;
      run.drift.packet((ticks * 1_000_000) / run.clockRateHz, packet.arrivalUs);
    }
    if (run.decoder) this.#decode(run.decoder, packet, atSample, lost);
    return true;
  }

  #runOf(format: FormatRecord, { rtpTime, sequenceNumber, arrivalUs }: PacketRecord): Run {
    const key = streamKey(format);
    if (this.#run?.key === key) return this.#run;
    this.#driftPpm = this.driftPpm;
    this.#run?.decoder?.close?.();
    const anchorSample = Math.round((arrivalUs * this.#rateHz) / 1_000_000);
    this.#run = {
      ...{ key, clockRateHz: format.clockRateHz, drift: new ClockDrift() },
      decoder: createDecoder(format.codec, format.clockRateHz, this.#rateHz),
      ...{ time: rtpTime, sequence: sequenceNumber, ticks: 0, anchorTicks: 0 },
      anchorSample: Math.max(anchorSample, this.#placedTo),
    };
    return this.#run;
  }

  #sampleAt({ anchorSample, anchorTicks, clockRateHz }: Run, ticks: number): number {
    return anchorSample + Math.round(((ticks - anchorTicks) * this.#rateHz) / clockRateHz);
  }

  #decode(decoder: Decoder, { payload }: PacketRecord, atSample: number, lost: number): void {
    const room = Math.max(5760, payload.length * 2);
    if (decoded.length < room) decoded = new Int16Array(room);
    const samples = decoded.subarray(0, decoder.decode(payload, decoded));
    const gap = atSample - this.#placedTo;
    if (this.#placedTo >= 0 && gap > 0 && lost > 0) this.#conceal(gap);
    if (decoder.rateHz === this.#rateHz) this.#write(atSample, samples);
    else this.#resample(atSample, samples, decoder.rateHz);
    const endSample = atSample + Math.round((samples.length * this.#rateHz) / decoder.rateHz);
    this.#placedTo = Math.max(this.#placedTo, endSample);
  }

  /** Goes on with what was said before; a longer loss stays silent. */
  #conceal(samples: number): void {
    const from = this.#placedTo - this.#fromSample;
    const history = Math.min(from, Math.round(historySeconds * this.#rateHz));
    if (!this.#conceals || history <= 0 || samples > maxConcealedSeconds * this.#rateHz) return;
    if (from + samples > this.#out.length) return;
    const concealer = new Concealer(this.#rateHz);
    concealer.received(this.#out.subarray(from - history, from));
    concealer.conceal(this.#out.subarray(from, from + samples));
  }

  #resample(atSample: number, samples: Int16Array, fromHz: number): void {
    if (this.#resampler && (atSample !== this.#placedTo || this.#resampler.fromHz !== fromHz))
      this.#endStretch();
    if (!this.#resampler) {
      this.#resampler = new Resampler(fromHz, this.#rateHz);
      this.#resampledTo = atSample;
    }
    const room = this.#resampler.maxOutput(samples.length);
    if (resampled.length < room) resampled = new Int16Array(room);
    this.#emit(this.#resampler.push(samples, resampled));
  }

  #endStretch(): void {
    if (!this.#resampler) return;
    const room = this.#resampler.maxOutput(0);
    if (resampled.length < room) resampled = new Int16Array(room);
    this.#emit(this.#resampler.flush(resampled));
    this.#resampler = undefined;
  }

  #emit(count: number): void {
    this.#write(this.#resampledTo, resampled.subarray(0, count));
    this.#resampledTo += count;
  }

  /** What lies behind the excerpt is kept for the next. */
  #write(atSample: number, samples: Int16Array): void {
    const at = atSample - this.#fromSample;
    const from = Math.max(0, -at);
    const to = Math.min(samples.length, this.#out.length - at);
    if (from < to)
      this.#out.set(from === 0 && to === samples.length ? samples : samples.subarray(from, to), at + from);
    if (to < samples.length && at < this.#out.length) this.#overhang = samples.slice(Math.max(0, to));
  }

  #report(report: SenderReportRecord): void {
    const run = this.#run;
    if (run === undefined || this.#format?.ssrc !== report.ssrc) return;
    const ticks = run.ticks + timestampDelta(run.time, report.rtpTime);
    const rtpUs = (ticks * 1_000_000) / run.clockRateHz;
    run.drift.report({ wallUs: wallClockUs(report), rtpUs, arrivalUs: report.arrivalUs });
  }

  #usOf(sample: number): number {
    return (sample * 1_000_000) / this.#rateHz;
  }
}
