interface RecordedSpan {
  readonly fromSample: number;
  /** Undefined: it goes on. */
  toSample: number | undefined;
  /** Recorded time before it. */
  readonly before: number;
}

/**
 * The two scales of a recording: positions on the room's clock, and recorded time, which begins with the recording
 * and stands still while it is paused. Both in samples.
 */
export class RecordedTime {
  /** What of the clock was recorded, in order. What is asked for lies in the last ones. */
  readonly #spans: RecordedSpan[] = [];

  begin(atSample: number): void {
    const last = this.#spans.at(-1);
    const before = last ? last.before + (last.toSample ?? atSample) - last.fromSample : 0;
    this.#spans.push({ fromSample: atSample, toSample: undefined, before });
  }

  pause(atSample: number): void {
    const span = this.#spans.at(-1);
    if (span) span.toSample ??= Math.max(span.fromSample, atSample);
  }

  resume(atSample: number): void {
    this.begin(atSample);
  }

  /** Recorded time at a position; in a pause that of its beginning. */
  at(sample: number): number {
    const span = this.#spans.findLast(({ fromSample }) => fromSample <= sample);
    if (!span) return 0;
    const { fromSample, toSample = sample, before } = span;
    return before + Math.min(sample, toSample) - fromSample;
  }

  /** The position that has so much recorded time before it. */
  sampleOf(recorded: number): number {
    const span = this.#spans.findLast(({ before }) => before < recorded) ?? this.#spans[0];
    if (!span) return 0;
    const { fromSample, toSample = Number.POSITIVE_INFINITY, before } = span;
    return Math.min(fromSample + recorded - before, toSample);
  }
}
