import { Concealer } from '../audio/concealment.ts';
import { Resampler } from '../audio/resample.ts';
import type { CodecName, Decoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { decodeAlaw, decodeUlaw } from '../codec/g711.ts';
import { ChunkBodies } from '../spool/chunk-bodies.ts';
import type { GrowingTrack, TrackPlace } from '../spool/growing-recording.ts';
import type { FormatRecord, SpoolRecord } from '../spool/records.ts';
import type { Placement } from '../timeline/placement.ts';
import { TrackPlacer } from '../timeline/track-placer.ts';
import { concealableSamples, type SequencedPacket } from './loss.ts';
import { PacketsAhead, type PassedPlace, type PlacedPacket } from './packets-ahead.ts';
import { PayloadLevel } from './payload-level.ts';
import { newReadPacket, noFormat, noPayload, type ReadPacket, readInto } from './read-packet.ts';
import { isSameStream } from './stream-decoder.ts';

/** These need no decoder. */
const straight: Partial<Record<CodecName, typeof decodeUlaw>> = { PCMU: decodeUlaw, PCMA: decodeAlaw };
/** What came so much before an excerpt is read with it: packets come late, and decoders remember. */
const leadUs = 300_000;
/** Who speaks is heard in every other packet of 20 ms. */
const listenUs = 30_000;
/** Of the samples before a loss that is concealed. */
const historySeconds = 0.1;
/** Of all readers of a thread: no packet of any codec decodes to more. */
let decoded = new Int16Array(5760);
let resampled = new Int16Array(0);
const nothing = new Int16Array(0);
/** Of all readers of a thread, as one reads at a time, and what it keeps for the next time is a copy. */
const bodies = new ChunkBodies();

export interface ExcerptReaderOptions {
  track: GrowingTrack;
  /** Of the recording. */
  rateHz: number;
  /** Of the track, on the room's clock. */
  startSample: number;
  /** We sent what is in it. */
  isOurs: boolean;
  lossConcealment: 'on' | 'off';
}

/** Takes when a packet arrived, and the mean square of what is in it. */
export type LevelSink = (arrivalUs: number, meanSquare: number) => void;

/**
 * Excerpts of one track, for who measures rather than listens: each packet lies where `timeline/` puts it. What lies
 * between excerpts is neither decoded nor placed; on request it is told how loud it is. Two things are less exact than
 * in a file: where a clock's drift is corrected, packets are moved but not stretched; and what has to wait for later
 * packets is decided by those of the next 300 ms.
 */
export class ExcerptReader {
  readonly #track: GrowingTrack;
  readonly #rateHz: number;
  readonly #conceals: boolean;
  readonly #placer: TrackPlacer<ReadPacket>;
  /** What is being placed; the placer copies what has to wait. */
  readonly #offered = newReadPacket();
  #format: FormatRecord | undefined;
  /** Sender reports up to then were taken. */
  #reportedUs = 0;
  /** Packets that lie behind the last excerpt, and those behind the one that is read. */
  #ahead: PacketsAhead | undefined;
  #found: PlacedPacket[] = [];
  #decoder: { format: FormatRecord; decoder: Decoder } | undefined;
  // Of the excerpt that is read.
  #out: Int16Array = nothing;
  #fromSample = 0;
  /** The packet that was written last. */
  readonly #previous: SequencedPacket = {
    ...{ format: noFormat, sequenceNumber: 0, rtpTime: 0, durationTicks: 0 },
    ...{ atSample: Number.NEGATIVE_INFINITY, durationSamples: 0 },
  };
  #resampler: Resampler | undefined;
  #resampledTo = 0;
  #stretchEnd = 0;
  /** Where it was when it began to listen. */
  #listenedFrom:
    | { place: TrackPlace; format: FormatRecord | undefined; ahead: PacketsAhead | undefined }
    | undefined;

  constructor({ track, rateHz, startSample, isOurs, lossConcealment }: ExcerptReaderOptions) {
    this.#track = track;
    this.#track.bodies = bodies;
    this.#track.looksAhead = false;
    this.#rateHz = rateHz;
    this.#conceals = lossConcealment === 'on';
    this.#placer = new TrackPlacer({ rateHz, startSample, isOurs }, (packet, placement) =>
      this.#placed(packet, placement),
    );
  }

  /** How much slower the party's clock runs than the room's; undefined where it is not known. */
  get driftPpm(): number | undefined {
    return this.#placer.timeline.driftPpm;
  }

  /**
   * Fills `out` from `fromSample` on, silent where nothing was said. Excerpts follow one another; what the spool does
   * not hold yet is missed.
   * @throws CallreelError SPOOL_CORRUPT
   */
  read(fromSample: number, out: Int16Array): void {
    out.fill(0);
    bodies.reset();
    const toSample = fromSample + out.length;
    this.#out = out;
    this.#fromSample = fromSample;
    this.#listenedFrom = undefined;
    for (const packet of this.#aheadFrom(fromSample)) this.#placed(packet, packet);
    this.#track.fromUs = this.#usOf(fromSample) - leadUs;
    this.#track.untilUs = this.#usOf(toSample) + leadUs;
    const passed = this.#takeAll(this.#usOf(toSample) - leadUs);
    this.#placer.finish();
    this.#endStretch();
    this.#keepAhead(passed);
    this.#out = nothing;
  }

  /**
   * Goes on to `toSample`, and tells how loud it is there. `goBack` undoes it.
   * @throws as `read`
   */
  listen(toSample: number, heard: LevelSink): void {
    this.#listenedFrom ??= { place: this.#track.place, format: this.#format, ahead: this.#ahead };
    const level = new PayloadLevel();
    for (const { format, payload, arrivalUs } of this.#ahead?.read(this.#track) ?? [])
      heard(arrivalUs, level.of(format, payload, arrivalUs));
    this.#ahead = undefined;
    this.#track.fromUs = 0;
    this.#track.untilUs = this.#usOf(toSample) - leadUs;
    for (let next = this.#track.next(); !next.done; next = this.#track.next()) {
      const record = next.value;
      // Of what was told nothing is held.
      bodies.reset();
      if (record.kind !== 'packet') {
        this.#take(record);
        continue;
      }
      const { arrivalUs, payload } = record;
      if (this.#format) heard(arrivalUs, level.of(this.#format, payload, arrivalUs));
      this.#track.fromUs = arrivalUs + listenUs;
    }
    level.close();
  }

  /** To where it began to listen behind the last excerpt. */
  goBack(): void {
    if (!this.#listenedFrom) return;
    this.#track.goTo(this.#listenedFrom.place);
    this.#format = this.#listenedFrom.format;
    this.#ahead = this.#listenedFrom.ahead;
    if (this.#format) this.#placer.format(this.#format);
    this.#listenedFrom = undefined;
  }

  /** When the newest record arrived that is there, read or not; 0 where there is none. @throws as `read` */
  newestUs(): number {
    this.#track.untilUs = 0;
    this.#track.looksAhead = true;
    for (let next = this.#track.next(); !next.done; next = this.#track.next()) this.#take(next.value);
    this.#track.looksAhead = false;
    return this.#track.newestUs();
  }

  close(): void {
    this.#track.return();
    this.#decoder?.decoder.close?.();
    this.#decoder = undefined;
  }

  /** Those that matter from `fromSample` on. */
  #aheadFrom(fromSample: number): PlacedPacket[] {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (!ahead || (ahead.isDecodedAlone && ahead.endSample <= fromSample)) return [];
    return ahead.read(this.#track);
  }

  /** @returns the place behind the first packet that arrived at `placeUs` or later */
  #takeAll(placeUs: number): PassedPlace | undefined {
    let passed: PassedPlace | undefined;
    for (let next = this.#track.next(); !next.done; next = this.#track.next()) {
      const record = next.value;
      this.#take(record);
      if (passed || record.kind !== 'packet' || record.arrivalUs < placeUs) continue;
      passed = { arrivalUs: record.arrivalUs, place: this.#track.place, format: this.#format };
    }
    return passed;
  }

  #take(record: SpoolRecord): void {
    if (record.kind === 'packet') {
      if (this.#format) this.#placer.offer(readInto(this.#offered, record, this.#format));
    } else if (record.kind === 'format') this.#placer.format((this.#format = { ...record }));
    else if (record.kind === 'sender-report' && record.arrivalUs > this.#reportedUs) {
      this.#reportedUs = record.arrivalUs;
      if (this.#format) this.#placer.report(record);
    }
  }

  #placed(packet: ReadPacket, { atSample, durationSamples }: Placement): void {
    // Comfort noise has no length: it only says that the sender is silent.
    if (durationSamples === 0) return;
    const end = this.#fromSample + this.#out.length;
    if (atSample + durationSamples > end) this.#found.push({ ...packet, atSample, durationSamples });
    if (atSample < end) this.#write(packet, atSample, durationSamples);
  }

  #write(packet: ReadPacket, atSample: number, durationSamples: number): void {
    const lost = this.#lostBefore(packet, atSample, durationSamples);
    const { payload, format } = packet;
    const at = atSample - this.#fromSample;
    const isInside = at >= 0 && at + durationSamples <= this.#out.length;
    const decode = straight[format.codec];
    const isStraight = this.#isStraight(format);
    if (decode && isStraight && isInside && payload.length === durationSamples) {
      decode(payload, this.#out, at);
      if (lost > 0) this.#conceal(lost, at, this.#out.subarray(at, at + durationSamples));
    } else if (!isStraight || at + durationSamples > 0) this.#decode(packet, atSample, durationSamples, lost);
    if (atSample < this.#previous.atSample) return;
    const previous = this.#previous;
    previous.format = format;
    previous.sequenceNumber = packet.sequenceNumber;
    previous.rtpTime = packet.rtpTime;
    previous.durationTicks = packet.durationTicks;
    previous.atSample = atSample;
    previous.durationSamples = durationSamples;
  }

  #decode({ format, payload }: ReadPacket, atSample: number, durationSamples: number, lost: number): void {
    const decoder = this.#decoderOf(format);
    const room = Math.max(5760, payload.length * 2);
    if (decoded.length < room) decoded = new Int16Array(room);
    const made = decoder.decode(payload, decoded);
    const wanted = Math.round((durationSamples * decoder.rateHz) / this.#rateHz);
    // Where a clock is followed a packet may be a sample longer than what it decodes to.
    for (let end = made; end > 0 && end < wanted; end++) decoded[end] = decoded[end - 1]!;
    const samples = decoded.subarray(0, made === 0 ? 0 : wanted);
    if (lost > 0) this.#conceal(lost, atSample - this.#fromSample, samples);
    if (decoder.rateHz === this.#rateHz) this.#put(atSample, samples);
    else this.#resample(atSample, durationSamples, samples, decoder.rateHz);
  }

  #decoderOf(format: FormatRecord): Decoder {
    if (this.#decoder?.format === format) return this.#decoder.decoder;
    const known = this.#decoder;
    let decoder = known && isSameStream(known.format, format) ? known.decoder : undefined;
    if (!decoder) {
      this.#decoder?.decoder.close?.();
      decoder = createDecoder(format.codec, format.clockRateHz, this.#rateHz);
    }
    this.#decoder = { format, decoder };
    return decoder;
  }

  /** How long the loss before a packet is, where it can be concealed. */
  #lostBefore(packet: ReadPacket, atSample: number, durationSamples: number): number {
    const previous = this.#previous;
    if (!this.#conceals || atSample <= previous.atSample + previous.durationSamples) return 0;
    return concealableSamples(previous, { ...packet, atSample, durationSamples }, this.#rateHz);
  }

  /** What was said before goes on up to `at`, where `samples` are. */
  #conceal(lost: number, at: number, samples: Int16Array): void {
    const from = at - lost;
    const history = Math.min(from, Math.round(historySeconds * this.#rateHz));
    if (history <= 0) return;
    const concealer = new Concealer(this.#rateHz);
    const concealed = this.#out.subarray(from, at);
    concealer.received(this.#out.subarray(from - history, from));
    concealer.conceal(concealed);
    concealer.lead(concealed, samples);
  }

  #resample(atSample: number, durationSamples: number, samples: Int16Array, fromHz: number): void {
    if (this.#resampler && (atSample !== this.#stretchEnd || this.#resampler.fromHz !== fromHz))
      this.#endStretch();
    if (!this.#resampler) {
      this.#resampler = new Resampler(fromHz, this.#rateHz);
      this.#resampledTo = atSample;
    }
    this.#stretchEnd = atSample + durationSamples;
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
    this.#put(
      this.#resampledTo,
      resampled.subarray(0, Math.min(count, this.#stretchEnd - this.#resampledTo)),
    );
    this.#resampledTo += count;
  }

  #put(atSample: number, samples: Int16Array): void {
    const at = atSample - this.#fromSample;
    const from = Math.max(0, -at);
    const to = Math.min(samples.length, this.#out.length - at);
    if (from < to)
      this.#out.set(from === 0 && to === samples.length ? samples : samples.subarray(from, to), at + from);
  }

  #keepAhead(passed: PassedPlace | undefined): void {
    const found = this.#found;
    this.#found = [];
    this.#offered.payload = noPayload;
    this.#ahead = undefined;
    if (found.length === 0) return;
    const isDecodedAlone = found.every(({ format }) => this.#isStraight(format));
    this.#ahead = new PacketsAhead(found, passed, isDecodedAlone);
  }

  #isStraight({ codec, clockRateHz }: FormatRecord): boolean {
    return straight[codec] !== undefined && clockRateHz === this.#rateHz;
  }

  #usOf(sample: number): number {
    return (sample * 1_000_000) / this.#rateHz;
  }
}
