import type { PauseView } from './track-source.ts';

/** [fromSample, toSample) on the room's clock. */
export interface Span {
  fromSample: number;
  toSample: number;
}

/**
 * The two axes of a file with pauses: recording time (samples on the room's clock) and file time (samples from the
 * beginning of the file). `skip` cuts a span out of the file, `silence` keeps its length.
 */
export class PauseMap {
  /** What of the recording is in the file, in order. */
  readonly #kept: Span[] = [];
  readonly #silent: Span[] = [];
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

  /** Clears what was paused in `out`, interleaved, whose first sample lies at `atSample` of the recording. */
  silence(out: Int16Array, atSample: number, channels = 1): void {
    const samples = out.length / channels;
    for (const { fromSample, toSample } of this.#silent) {
      if (fromSample >= atSample + samples) continue;
      if (toSample > atSample)
        out.fill(0, Math.max(0, fromSample - atSample) * channels, (toSample - atSample) * channels);
    }
  }
}
