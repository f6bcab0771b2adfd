import { CallreelError } from '../errors.ts';
import { excerptSeconds, isPlaceOfExcerpt, placeAt } from '../quality/excerpts.ts';
import { signalSum } from '../quality/signal-sum.ts';
import { ExcerptReader, type ExcerptReaderOptions } from '../render/excerpt-reader.ts';
import { type GrowingRecording, GrowingTrack } from '../spool/growing-recording.ts';
import type { SpoolRecording, SpoolTrack } from '../spool/reader.ts';
import { MeasuredSignal } from './measured-signal.ts';
import { MeasuredTrack, type Span } from './measured-track.ts';
import type { MeasuredRecording } from './quality-protocol.ts';

/** Packets of an excerpt are there once one is that came so much later. */
const behindUs = 300_000;
/** From so many excerpts on one that is long over is passed over. */
const enoughExcerpts = 3;
/** What is settled is looked at no more often than this. */
const settledLateSeconds = 240;
/** So much is measured of the end, as a whole, where little was said before: shorter recordings are measured whole. */
const wholeSeconds = 20;
/** What was not looked at before is made up for by so many excerpts at once. */
const mostExcerpts = 6;

/** Of all recordings of a thread, as one excerpt is looked at at a time. */
let channel = new Int16Array(0);
let mixed = new Int16Array(0);

/**
 * The meters of one recording: of each track, and of their sum.
 *
 *     spool -> ExcerptReader of each track --> its QualityMeter
 *                                          +-> sum -> QualityMeter of the mix
 *
 * What lies between excerpts is searched for who was hardly heard so far (`SpeechSearch`); what is found is measured.
 */
export class Measurement {
  readonly #recording: GrowingRecording;
  readonly #lossConcealment: 'on' | 'off';
  readonly #tracks = new Map<string, MeasuredTrack>();
  #mix: MeasuredSignal | undefined;
  /** The next place where something may be measured, where it was last, how often, and where that ends. */
  #place = 0;
  #lastPlace: number | undefined;
  #excerpts = 0;
  #toSample = -1;
  /** When the newest packet arrived that is known of. */
  #newestUs = 0;
  #wasSettled = false;
  #isEnded = false;

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
    const open = view.tracks.filter(({ endSample }) => endSample === undefined);
    const lateSeconds = this.#wasSettled ? settledLateSeconds : 0;
    for (let count = 0; count < mostExcerpts && this.#isNextThere(view, open, lateSeconds); count++) {
      for (const _ of this.#measureNext(view));
      this.#wasSettled = this.#isSettled(view);
    }
    return this.#wasSettled ? this.figures() : undefined;
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
    while (!isShort && this.#findNext(view, ({ toSample }) => toSample <= endSample))
      yield* this.#measureNext(view);
    if (isShort || this.#lacksSpeech(view)) {
      let fromSample = Math.max(this.#toSample, beginSample, endSample - wholeSeconds * rateHz);
      for (let toSample = fromSample; fromSample < endSample; fromSample = toSample) {
        toSample = Math.min(endSample, fromSample + excerptSeconds * rateHz);
        yield* this.#measureTo(view, { fromSample, toSample });
      }
    }
    yield* this.#passTo(view, endSample, true);
    this.#endAt(view, endSample);
  }

  /** @throws CallreelError CONFLICT where nothing was measured */
  figures(): MeasuredRecording {
    if (!this.#mix) throw new CallreelError('CONFLICT', 'nothing was measured');
    const measured = [...this.#tracks].filter(([, { signal }]) => this.#isEnded || signal.isMeasured);
    const channels = measured.map(([trackId, { reader, signal }]) => {
      return [trackId, { ...signal.meter.figures(), driftPpm: reader.driftPpm ?? null }] as const;
    });
    return { mix: this.#mix.meter.figures(), channels: Object.fromEntries(channels) };
  }

  close(): void {
    for (const { reader } of this.#tracks.values()) reader.close();
  }

  /**
   * Goes on to the next place where it is to be measured.
   * @param isThere whether a span is over
   * @returns false where that, or whether it is to be, is not known yet
   */
  #findNext(view: SpoolRecording, isThere: (span: Span) => boolean): boolean {
    for (;;) {
      const span = spanOf(view, this.#place);
      if (span.fromSample >= this.#toSample) {
        if (!isThere(span)) return false;
        if (this.#isDue(view, this.#place)) return true;
      }
      this.#place += 1;
    }
  }

  /**
   * As `#findNext`, of a recording that goes on.
   * @param open as of `#isThere`
   * @param lateSeconds what has a place so much behind it that is there, and to be measured, is passed over, once enough is known
   */
  #isNextThere(view: SpoolRecording, open: SpoolTrack[], lateSeconds: number): boolean {
    const isThere = (span: Span) => this.#isThere(view, open, span);
    if (!this.#findNext(view, isThere)) return false;
    const first = placeAt(this.#place);
    if (this.#excerpts < enoughExcerpts) return true;
    for (let next = this.#place + 1; isThere(spanOf(view, next)); next++)
      if (placeAt(next) - first > lateSeconds && this.#isDue(view, next)) this.#place = next;
    return true;
  }

  #isDue(view: SpoolRecording, place: number): boolean {
    return isPlaceOfExcerpt(placeAt(place), this.#lastPlace, this.#areHeardEnough(view, spanOf(view, place)));
  }

  *#measureNext(view: SpoolRecording): Generator<void, void, undefined> {
    const span = spanOf(view, this.#place);
    this.#lastPlace = placeAt(this.#place);
    this.#excerpts += 1;
    yield* this.#measureTo(view, span);
  }

  /** Whether all of a span is there. @param open tracks that were not asked yet for their newest packet */
  #isThere(view: SpoolRecording, open: SpoolTrack[], { toSample }: Span): boolean {
    const neededUs = (toSample * 1_000_000) / view.header.rateHz + behindUs;
    while (this.#newestUs < neededUs) {
      const track = open.shift();
      if (!track) return false;
      this.#newestUs = Math.max(this.#newestUs, this.#trackOf(track, view).reader.newestUs());
    }
    return true;
  }

  /** Everybody who is there in a span, and before it who was hardly heard so far. */
  *#measureTo(view: SpoolRecording, span: Span): Generator<void, void, undefined> {
    yield* this.#passTo(view, span.fromSample, false);
    yield this.#measure(view, span);
  }

  #measure(view: SpoolRecording, { fromSample, toSample }: Span): void {
    const samples = toSample - fromSample;
    signalSum.begin(samples);
    for (const track of view.tracks) {
      const from = Math.max(fromSample, track.startSample);
      const out = channelOf(Math.min(toSample, track.endSample ?? toSample) - from);
      if (out.length === 0) continue;
      this.#trackOf(track, view).measure(from, out, view.pauses);
      signalSum.add(out, from - fromSample);
    }
    if (mixed.length < samples) mixed = new Int16Array(samples);
    const mix = mixed.subarray(0, samples);
    signalSum.take(mix);
    this.#mixOf(view).push(mix, fromSample, view.pauses);
    this.#toSample = toSample;
  }

  /**
   * Whoever was only there between excerpts is measured by itself, and who was hardly heard is searched for.
   * @param isLast no excerpt follows
   */
  *#passTo(view: SpoolRecording, toSample: number, isLast: boolean): Generator<void, void, undefined> {
    const fromSample = Math.max(this.#toSample, beginOf(view));
    for (const track of view.tracks) {
      let from = Math.max(fromSample, track.startSample);
      const to = Math.min(toSample, track.endSample ?? toSample);
      if (from >= to) continue;
      const measured = this.#trackOf(track, view);
      const isLeaving = isLast || track.endSample === to;
      if (isLeaving && !measured.signal.isMeasured) {
        const alone = Math.min(to, from + wholeSeconds * view.header.rateHz);
        for (let next = from; from < alone; from = next) {
          next = Math.min(alone, from + excerptSeconds * view.header.rateHz);
          const out = channelOf(next - from);
          measured.measure(from, out, view.pauses);
          yield this.#hearInMix(track, view, from, out);
        }
      }
      if (from < to && !measured.signal.meter.hasSpeech) yield* this.#search(track, view, from, to);
    }
  }

  *#search(
    track: SpoolTrack,
    view: SpoolRecording,
    fromSample: number,
    toSample: number,
  ): Generator<void, void, undefined> {
    const measured = this.#trackOf(track, view);
    for (const found of measured.search(fromSample, toSample)) {
      if (measured.signal.meter.hasSpeech) return;
      const out = channelOf(found.toSample - found.fromSample);
      measured.measureFound(found.fromSample, out, view.pauses);
      yield this.#hearInMix(track, view, found.fromSample, out);
    }
  }

  /**
   * Who was heard between excerpts is heard in the mix as well, with what everybody else sent at that time, as long as
   * nobody was heard there.
   */
  #hearInMix(track: SpoolTrack, view: SpoolRecording, fromSample: number, said: Int16Array): void {
    const mix = this.#mixOf(view);
    if (mix.meter.hasSpeech || this.#trackOf(track, view).signal.meter.figures().snrDb === null) return;
    const samples = said.length;
    if (mixed.length < samples) mixed = new Int16Array(samples);
    signalSum.begin(samples);
    signalSum.add(said, 0);
    for (const other of view.tracks) {
      const from = Math.max(fromSample, other.startSample);
      const to = Math.min(fromSample + samples, other.endSample ?? fromSample + samples);
      if (other.trackId === track.trackId || from >= to) continue;
      // Its own reader may be at another place, and does not go back.
      const records = new GrowingTrack();
      records.follow(other, view.end !== undefined);
      const reader = new ExcerptReader(this.#readerOptions(other, view, records));
      const out = mixed.subarray(0, to - from);
      reader.read(from, out);
      reader.close();
      signalSum.add(out, from - fromSample);
    }
    const sum = mixed.subarray(0, samples);
    signalSum.take(sum);
    mix.pushFound(sum, fromSample, view.pauses);
  }

  /** All of it has been measured, searched, or passed over: nobody is left out. */
  #endAt(view: SpoolRecording, endSample: number): void {
    for (const track of view.tracks) {
      const { signal } = this.#trackOf(track, view);
      signal.endAt(Math.min(endSample, track.endSample ?? endSample), view.pauses);
    }
    this.#mixOf(view).endAt(endSample, view.pauses);
    this.#isEnded = true;
  }

  #trackOf(track: SpoolTrack, view: SpoolRecording): MeasuredTrack {
    const { trackId, startSample } = track;
    let measured = this.#tracks.get(trackId);
    if (!measured) {
      const options = this.#readerOptions(track, view, this.#recording.track(trackId));
      const fromSample = Math.max(startSample, beginOf(view));
      measured = new MeasuredTrack(new ExcerptReader(options), options.rateHz, fromSample);
      this.#tracks.set(trackId, measured);
    }
    return measured;
  }

  #readerOptions(
    { startSample, side }: SpoolTrack,
    { header: { rateHz } }: SpoolRecording,
    track: GrowingTrack,
  ): ExcerptReaderOptions {
    const isOurs = side === 'heard';
    return { track, rateHz, startSample, isOurs, lossConcealment: this.#lossConcealment };
  }

  #mixOf(view: SpoolRecording): MeasuredSignal {
    this.#mix ??= new MeasuredSignal(view.header.rateHz, beginOf(view));
    return this.#mix;
  }

  /** Of everybody who may still speak enough is known; who was hardly heard may do so. */
  #isSettled(view: SpoolRecording): boolean {
    const isOver = ({ endSample = Number.POSITIVE_INFINITY }: SpoolTrack) => endSample <= this.#toSample;
    const isKnown = (track: SpoolTrack) => isOver(track) || this.#tracks.get(track.trackId)?.signal.isKnown;
    return this.#mix?.isKnown === true && view.tracks.every(isKnown);
  }

  /** Everybody who is there in a span was heard enough. */
  #areHeardEnough(view: SpoolRecording, { fromSample, toSample }: Span): boolean {
    const isElsewhere = ({ startSample, endSample = Number.POSITIVE_INFINITY }: SpoolTrack) =>
      startSample >= toSample || endSample <= fromSample;
    const isHeard = (track: SpoolTrack) =>
      isElsewhere(track) || this.#tracks.get(track.trackId)?.signal.isHeardEnough;
    return this.#mix?.isHeardEnough === true && view.tracks.every(isHeard);
  }

  /** Somebody who speaks was not measured for long enough. */
  #lacksSpeech(view: SpoolRecording): boolean {
    const isOver = ({ endSample = Number.POSITIVE_INFINITY }: SpoolTrack) => endSample <= this.#toSample;
    const there = view.tracks
      .filter((track) => !isOver(track))
      .map(({ trackId }) => this.#tracks.get(trackId));
    return [this.#mix, ...there.map((track) => track?.signal)].some(
      (signal) => signal?.meter.hasSpeech && !signal.isKnown,
    );
  }
}

function channelOf(samples: number): Int16Array {
  if (channel.length < samples) channel = new Int16Array(samples);
  return channel.subarray(0, Math.max(0, samples));
}

function beginOf({ startSample, end }: SpoolRecording): number {
  return end?.trim?.fromSample ?? startSample;
}

function spanOf(view: SpoolRecording, place: number): Span {
  const { rateHz } = view.header;
  const fromSample = beginOf(view) + placeAt(place) * rateHz;
  return { fromSample, toSample: fromSample + excerptSeconds * rateHz };
}
