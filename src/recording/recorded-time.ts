/**
 * The two scales of a recording: positions on the room's clock, and recorded time, which begins with the recording
 * and stands still while it is paused. Both in samples.
 */
export class RecordedTime {
  /** What of the clock was recorded; the last span may go on. */
  readonly #spans: { fromSample: number; toSample: number | undefined }[] = [];

  begin(atSample: number): void {
    this.#spans.push({ fromSample: atSample, toSample: undefined });
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
    return this.#spans.reduce(
      (sum, { fromSample, toSample = sample }) => sum + Math.max(0, Math.min(sample, toSample) - fromSample),
      0,
    );
  }

  /** The position that has so much recorded time before it. */
  sampleOf(recorded: number): number {
    let left = recorded;
    for (const { fromSample, toSample } of this.#spans) {
      const samples = toSample === undefined ? Number.POSITIVE_INFINITY : toSample - fromSample;
      if (left <= samples) return fromSample + left;
      left -= samples;
    }
    return this.#spans.at(-1)?.toSample ?? 0;
  }
}
