import { ToneGenerator } from '../audio/tone.ts';
import type { PauseView } from './track-source.ts';

/** What stands where a pause is masked. */
export const maskTone = { frequencyHz: 1000, levelDbov: -26 } as const;

/** [fromSample, toSample) on the room's clock. */
export interface Span {
  fromSample: number;
  toSample: number;
}

/**
 * The two axes of a file with pauses: recording time (samples on the room's clock) and file time (samples from the
 * beginning of the file). `skip` cuts a span out of the file, `silence` keeps its length, `mask` keeps it under a tone.
 */
export class PauseMap {
  /** What of the recording is in the file, in order. */
  readonly #kept: Span[] = [];
  readonly #paused: readonly (Span & Pick<PauseView, 'behaviour'>)[];
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
    this.#paused = spans;
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
    for (const { part } of this.#pausedIn(out, atSample, channels)) part.fill(0);
  }

  /** As `silence`, with the tone where it was masked. */
  cover(out: Int16Array, atSample: number, rateHz: number, channels = 1): void {
    for (const { part, position, behaviour } of this.#pausedIn(out, atSample, channels)) {
      if (behaviour === 'mask') mask(part, position, rateHz, channels);
      else part.fill(0);
    }
  }

  *#pausedIn(out: Int16Array, atSample: number, channels: number): Generator<PausedPart, void, undefined> {
    const endSample = atSample + out.length / channels;
    for (const { fromSample, toSample, behaviour } of this.#paused) {
      const [from, to] = [Math.max(fromSample, atSample), Math.min(toSample, endSample)];
      if (from >= to) continue;
      const part = out.subarray((from - atSample) * channels, (to - atSample) * channels);
      yield { part, position: from - fromSample, behaviour };
    }
  }
}

/** Paused samples, and how far from the beginning of the pause they are. */
interface PausedPart {
  part: Int16Array;
  position: number;
  behaviour: PauseView['behaviour'];
}

/** The tone begins with the pause: the same samples, whatever part of the file is asked for. */
function mask(out: Int16Array, position: number, rateHz: number, channels: number): void {
  const tone = new Int16Array(out.length / channels);
  new ToneGenerator({ rateHz, ...maskTone }, position).write(tone);
  for (let i = 0; i < out.length; i++) out[i] = tone[Math.floor(i / channels)]!;
}
