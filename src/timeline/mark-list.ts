import { maxMarks } from './bounds.ts';
import type { TimelineMark } from './marks.ts';
import type { TrackFormat } from './track-format.ts';

/** The marks of one track, the first 10,000 at most. */
export class MarkList {
  readonly #marks: TimelineMark[] = [];
  /** Of the audio placed last. */
  #format: TrackFormat | undefined;

  add(mark: TimelineMark): void {
    if (this.#marks.length < maxMarks) this.#marks.push(mark);
  }

  /** Audio behind all other; marks where it is another stream, or in another form, than that before. */
  placed(format: TrackFormat, atSample: number): void {
    if (format.codec === 'CN') return;
    const before = this.#format;
    this.#format = format;
    if (!before || before === format) return;
    if (before.ssrc !== format.ssrc) this.add({ kind: 'ssrc-change', atSample, ssrc: format.ssrc });
    const { codec, clockRateHz } = format;
    if (before.codec !== codec || before.clockRateHz !== clockRateHz)
      this.add({ kind: 'codec-change', atSample, codec, clockRateHz });
  }

  /** These and others that may yet change, in order of position. */
  with(open: readonly TimelineMark[]): TimelineMark[] {
    return [...this.#marks, ...open].sort((a, b) => a.atSample - b.atSample);
  }
}
