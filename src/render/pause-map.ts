import { ToneGenerator } from '../audio/tone.ts';
import type { PauseView } from './track-source.ts';

/** What stands in place of a masked span: to be heard, and well below speech. */
const maskTone = { frequencyHz: 440, levelDbov: -30 } as const;

/** [fromSample, toSample) on the room's clock. */
export interface Span {
  fromSample: number;
  toSample: number;
}

/** How many samples of a span were recorded: pauses are left out, whatever stands in their place. */
export function recordedSamplesOf({ fromSample, toSample }: Span, pauses: readonly PauseView[]): number {
  const pausedSamples = pauses.map((pause) => {
    const from = Math.max(fromSample, pause.fromSample);
    return Math.max(0, Math.min(toSample, pause.toSample ?? toSample) - from);
  });
  return pausedSamples.reduce((rest, paused) => rest - paused, toSample - fromSample);
}

/** Clears what was paused in `out`, interleaved, whose first sample lies at `atSample` of the recording. */
export function silencePaused(
  out: Int16Array,
  atSample: number,
  pauses: readonly Pick<PauseView, 'fromSample' | 'toSample'>[],
  channels = 1,
): void {
  const endSample = atSample + out.length / channels;
  for (const { fromSample, toSample = endSample } of pauses) {
    if (fromSample >= endSample || toSample <= atSample) continue;
    out.fill(0, Math.max(0, fromSample - atSample) * channels, (toSample - atSample) * channels);
  }
}

/** From `first` on, up to before `beyond`. */
export interface ChannelRange {
  first: number;
  beyond: number;
}

/**
 * The two axes of a file with pauses: recording time (samples on the room's clock) and file time (samples from the
 * beginning of the file). `skip` cuts a span out of the file, `silence` and `mask` keep its length.
 */
export class PauseMap {
  /** What of the recording is in the file, in order. */
  readonly #kept: Span[] = [];
  readonly #silent: Span[] = [];
  readonly #masked: Span[] = [];
  readonly fileSamples: number;

  /** A pause that was not resumed lasts to the end. */
  constructor({ fromSample, toSample }: Span, pauses: readonly PauseView[]) {
    const spans = pauses
      .map((pause) => ({
        behaviour: pause.behaviour,
        fromSample: Math.max(fromSample, pause.fromSample),
        toSample: Math.min(toSample, pause.toSample ?? toSample),
      }))
      .filter((span) => span.fromSample < span.toSample);
    this.#silent = spans;
    this.#masked = spans.filter(({ behaviour }) => behaviour === 'mask');
    let at = fromSample;
    for (const span of spans.filter(({ behaviour }) => behaviour === 'skip')) {
      if (at < span.fromSample) this.#kept.push({ fromSample: at, toSample: span.fromSample });
      at = Math.max(at, span.toSample);
    }
    if (at < toSample) this.#kept.push({ fromSample: at, toSample });
    this.fileSamples = this.#kept.reduce((sum, span) => sum + span.toSample - span.fromSample, 0);
  }

  /** The spans of the recording that make up [fromFile, toFile) of the file. */
  spansOf(fromFile: number, toFile: number): Span[] {
    const spans: Span[] = [];
    let fileSample = 0;
    for (const span of this.#kept) {
      const samples = span.toSample - span.fromSample;
      const from = Math.max(fromFile, fileSample) - fileSample;
      const to = Math.min(toFile, fileSample + samples) - fileSample;
      if (from < to) spans.push({ fromSample: span.fromSample + from, toSample: span.fromSample + to });
      fileSample += samples;
    }
    return spans;
  }

  /** Where a moment of the recording lies in the file; one that was cut out lies at the cut. */
  fileSampleOf(sample: number): number {
    return this.#kept.reduce(
      (sum, span) => sum + Math.max(0, Math.min(sample, span.toSample) - span.fromSample),
      0,
    );
  }

  /** As `silencePaused`. */
  silence(out: Int16Array, atSample: number, channels = 1): void {
    silencePaused(out, atSample, this.#silent, channels);
  }

  /**
   * Writes the tone of what was masked over `out`, the same in every channel of `toned`. Its phase is that of the room's clock,
   * so every file of the recording has the same samples at the same position.
   */
  mask(
    out: Int16Array,
    atSample: number,
    rateHz: number,
    channels = 1,
    { first, beyond }: ChannelRange = { first: 0, beyond: channels },
  ): void {
    const samples = out.length / channels;
    for (const { fromSample, toSample } of this.#masked) {
      const from = Math.max(fromSample, atSample);
      const to = Math.min(toSample, atSample + samples);
      if (from >= to) continue;
      const tone = new Int16Array(to - from);
      new ToneGenerator({ rateHz, ...maskTone }, from).write(tone);
      let at = (from - atSample) * channels;
      for (const sample of tone) {
        out.fill(sample, at + first, at + beyond);
        at += channels;
      }
    }
  }
}
