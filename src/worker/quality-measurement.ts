import { CallreelError } from '../errors.ts';
import { excerptAt, excerptSeconds } from '../quality/excerpts.ts';
import { QualityMeter } from '../quality/quality-meter.ts';
import { signalSum } from '../quality/signal-sum.ts';
import { ExcerptReader } from '../render/excerpt-reader.ts';
import { PauseMap } from '../render/pause-map.ts';
import type { GrowingRecording } from '../spool/growing-recording.ts';
import type { SpoolRecording, SpoolTrack } from '../spool/reader.ts';
import type { MeasuredRecording } from './quality-protocol.ts';

/** Packets of an excerpt are there once one is that came so much later. */
const behindUs = 300_000;
/** So much of an excerpt is a block by itself. */
const leastBlockSeconds = 8;
/** From so many excerpts on figures change little. */
const enoughExcerpts = 3;
/** So much is measured of the end, as a whole, where little was said before: shorter recordings are measured whole. */
const wholeSeconds = 20;
/** As long as somebody who is there was hardly heard, everything is measured up to here. */
const searchedSeconds = 120;
/** What was not looked at before is made up for by so many excerpts at once. */
const mostExcerpts = 6;

/** Of all recordings of a thread, as one excerpt is looked at at a time. */
let channel = new Int16Array(0);
let mixed = new Int16Array(0);

interface Span {
  fromSample: number;
  toSample: number;
}

/** A signal, and how far it was measured or passed over. */
interface Measured {
  meter: QualityMeter;
  toSample: number;
  excerpts: number;
}

/**
 * The meters of one recording: of each track, and of their sum.
 *
 *     spool -> ExcerptReader of each track --> its QualityMeter
 *                                          +-> sum -> QualityMeter of the mix
 */
export class Measurement {
  readonly #recording: GrowingRecording;
  readonly #lossConcealment: 'on' | 'off';
  readonly #readers = new Map<string, ExcerptReader>();
  readonly #tracks = new Map<string, Measured>();
  #mix: Measured | undefined;
  /** The next one, and where what was measured ends. */
  #excerpt = 0;
  #toSample = -1;
  #settled: MeasuredRecording | undefined;

  constructor(recording: GrowingRecording, lossConcealment: 'on' | 'off') {
    this.#recording = recording;
    this.#lossConcealment = lossConcealment;
  }

  /**
   * Measures the excerpts that are over by now. The conversation was settled just before (`spool.settle`).
   * @returns the figures where a few seconds more would change nothing
   * @throws CallreelError as `GrowingRecording.look`, and SPOOL_CORRUPT
   */
  step(): MeasuredRecording | undefined {
    const view = this.#recording.look();
    const newest = view.tracks
      .filter(({ endSample }) => endSample === undefined)
      .map((track) => this.#readerOf(track, view).newestUs());
    const thereUs = Math.max(0, ...newest) - behindUs;
    const thereSample = Math.floor((thereUs * view.header.rateHz) / 1_000_000);
    for (let count = 0; count < mostExcerpts; count++) {
      // What is long over is passed over, once enough is known.
      if (this.#excerpt >= enoughExcerpts)
        while (spanOf(view, this.#excerpt + 1).toSample <= thereSample) this.#excerpt += 1;
      const { fromSample, toSample } = this.#nextSpan(view);
      if (toSample > thereSample) break;
      this.#measure(view, fromSample, toSample);
      this.#settled = this.#isSettled(view) ? this.#figures() : undefined;
    }
    return this.#settled;
  }

  /**
   * Measures what is left of an ended recording, an excerpt at a time.
   * @throws as `step`, and CONFLICT where it has not ended, or was cut at its beginning or its end
   */
  *finish(): Generator<void, void, undefined> {
    const view = this.#recording.look();
    const { end } = view;
    if (!end) throw new CallreelError('CONFLICT', 'the recording has not ended');
    const endSample = end.trim?.toSample ?? end.atSample;
    const beginSample = beginOf(view);
    if (this.#toSample > endSample || (end.trim && this.#toSample >= 0 && beginSample > view.startSample))
      throw new CallreelError('CONFLICT', 'the recording was trimmed at its end');
    const { rateHz } = view.header;
    const isShort = endSample - beginSample <= wholeSeconds * rateHz;
    while (!isShort) {
      const { fromSample, toSample } = this.#nextSpan(view);
      if (toSample > endSample) break;
      yield this.#measure(view, fromSample, toSample);
    }
    if (isShort || !this.#isSettled(view)) {
      let at = Math.max(this.#toSample, beginSample, endSample - wholeSeconds * rateHz);
      for (; at < endSample; at += excerptSeconds * rateHz)
        yield this.#measure(view, at, Math.min(endSample, at + excerptSeconds * rateHz));
    }
    for (const track of view.tracks) yield* this.#measureAlone(track, view, endSample);
  }

  /** @throws CallreelError CONFLICT where nothing was measured */
  figures(): MeasuredRecording {
    return this.#figures();
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
  }

  /** The next excerpt; or what follows at once, where somebody who is there then was hardly heard so far. */
  #nextSpan(view: SpoolRecording): Span {
    const samples = excerptSeconds * view.header.rateHz;
    const atSample = this.#toSample;
    if (atSample >= 0 && !this.#isSearched(view)) {
      const follows = { fromSample: atSample, toSample: atSample + samples };
      const isUnheard = (track: SpoolTrack) =>
        track.startSample < follows.toSample &&
        (track.endSample ?? follows.toSample) > atSample &&
        !this.#tracks.get(track.trackId)?.meter.hasSpeech;
      if (view.tracks.some(isUnheard)) return follows;
    }
    while (spanOf(view, this.#excerpt).fromSample < atSample) this.#excerpt += 1;
    return spanOf(view, this.#excerpt);
  }

  #isSearched(view: SpoolRecording): boolean {
    return this.#toSample - beginOf(view) >= searchedSeconds * view.header.rateHz;
  }

  /** Everybody who is there at [fromSample, toSample). */
  #measure(view: SpoolRecording, fromSample: number, toSample: number): void {
    const samples = toSample - fromSample;
    if (mixed.length < samples) {
      channel = new Int16Array(samples);
      mixed = new Int16Array(samples);
    }
    signalSum.begin(samples);
    for (const track of view.tracks) {
      const from = Math.max(fromSample, track.startSample);
      const said = this.#said(track, view, from, Math.min(toSample, track.endSample ?? toSample));
      if (said.length > 0) signalSum.add(said, from - fromSample);
    }
    const mix = mixed.subarray(0, samples);
    signalSum.take(mix);
    this.#mix ??= measuredFrom(view, beginOf(view));
    push(this.#mix, mix, fromSample, view.header.rateHz);
    this.#toSample = toSample;
  }

  /** Of somebody who was only there between excerpts. */
  *#measureAlone(track: SpoolTrack, view: SpoolRecording, endSample: number): Generator<void> {
    if (this.#tracks.has(track.trackId)) return;
    const { rateHz } = view.header;
    const beginSample = Math.max(track.startSample, beginOf(view));
    const end = Math.min(track.endSample ?? endSample, endSample, beginSample + wholeSeconds * rateHz);
    for (let at = beginSample; at < end; at += excerptSeconds * rateHz) {
      if (channel.length < excerptSeconds * rateHz) channel = new Int16Array(excerptSeconds * rateHz);
      yield void this.#said(track, view, at, Math.min(end, at + excerptSeconds * rateHz));
    }
  }

  /** Reads and measures one track. @returns its samples, valid until the next */
  #said(track: SpoolTrack, view: SpoolRecording, fromSample: number, toSample: number): Int16Array {
    const said = channel.subarray(0, Math.max(0, toSample - fromSample));
    if (said.length === 0) return said;
    const { trackId } = track;
    this.#readerOf(track, view).read(fromSample, said);
    new PauseMap({ fromSample, toSample }, view.pauses).silence(said, fromSample);
    let measured = this.#tracks.get(trackId);
    if (!measured) {
      measured = measuredFrom(view, Math.max(track.startSample, beginOf(view)));
      this.#tracks.set(trackId, measured);
    }
    push(measured, said, fromSample, view.header.rateHz);
    return said;
  }

  #readerOf({ trackId }: SpoolTrack, { header }: SpoolRecording): ExcerptReader {
    let reader = this.#readers.get(trackId);
    if (!reader) {
      const options = { rateHz: header.rateHz, lossConcealment: this.#lossConcealment };
      reader = new ExcerptReader({ ...options, track: this.#recording.track(trackId) });
      this.#readers.set(trackId, reader);
    }
    return reader;
  }

  /** Of everybody who may still speak enough is known, or has been tried for. */
  #isSettled(view: SpoolRecording): boolean {
    const isKnown = (measured: Measured | undefined) =>
      measured !== undefined &&
      (measured.meter.hasEnoughSpeech ||
        (measured.excerpts >= enoughExcerpts && (measured.meter.hasSpeech || this.#isSearched(view))));
    const isOver = ({ endSample = Number.POSITIVE_INFINITY }: SpoolTrack) => endSample <= this.#toSample;
    return (
      isKnown(this.#mix) &&
      view.tracks.every((track) => isOver(track) || isKnown(this.#tracks.get(track.trackId)))
    );
  }

  #figures(): MeasuredRecording {
    if (!this.#mix) throw new CallreelError('CONFLICT', 'nothing was measured');
    const channels = [...this.#tracks].map(([trackId, { meter }]) => {
      const driftPpm = this.#readers.get(trackId)?.driftPpm ?? null;
      return [trackId, { ...meter.figures(), driftPpm }] as const;
    });
    return { mix: this.#mix.meter.figures(), channels: Object.fromEntries(channels) };
  }
}

function measuredFrom({ header }: SpoolRecording, fromSample: number): Measured {
  return { meter: new QualityMeter(header.rateHz), toSample: fromSample, excerpts: 0 };
}

function push(measured: Measured, samples: Int16Array, fromSample: number, rateHz: number): void {
  if (fromSample > measured.toSample) measured.meter.passOver(fromSample - measured.toSample);
  measured.meter.push(samples);
  // What lacks a moment of a block is not kept until the next comes: of many recordings that would be most of their memory.
  if (samples.length >= leastBlockSeconds * rateHz) measured.meter.passOver(0);
  measured.toSample = fromSample + samples.length;
  measured.excerpts += 1;
}

function beginOf({ startSample, end }: SpoolRecording): number {
  return end?.trim?.fromSample ?? startSample;
}

function spanOf(view: SpoolRecording, index: number): Span {
  const { fromSeconds, toSeconds } = excerptAt(index);
  const { rateHz } = view.header;
  const begin = beginOf(view);
  return { fromSample: begin + fromSeconds * rateHz, toSample: begin + toSeconds * rateHz };
}
