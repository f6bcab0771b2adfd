import assert from 'node:assert/strict';
import type { Placement } from './placement.ts';
import { TrackTimeline } from './track-timeline.ts';

export const frame = 160;

/** One stream of 20 ms packets at 8 kHz whose packet number `index` is sent 20 ms after the one before. */
export class Stream {
  readonly timeline: TrackTimeline;
  readonly #sequenceBase: number;
  readonly #timeBase: number;

  constructor({ sequenceBase = 1000, timeBase = 5000, startSample = 0 } = {}) {
    this.timeline = new TrackTimeline({ rateHz: 8000, startSample });
    this.#sequenceBase = sequenceBase;
    this.#timeBase = timeBase;
    this.use(1);
  }

  use(ssrc: number, clockRateHz = 8000, codec: 'PCMU' | 'PCMA' | 'OPUS' | 'CN' = 'PCMU'): void {
    this.timeline.format({ codec, clockRateHz, ssrc });
  }

  /** `sequence` and `frames` count from the stream's bases; `arrivalFrames` from the opening of the room. */
  send(sequence: number, frames: number, arrivalFrames: number): Placement | undefined {
    return this.timeline.place(
      (this.#sequenceBase + sequence) & 0xffff,
      (this.#timeBase + frames * frame) >>> 0,
      arrivalFrames * 20_000,
      frame,
    );
  }

  run(from: number, to: number): void {
    for (let k = from; k < to; k += 1) this.expect(k, k, k, k);
  }

  /** Asserts that the packet lies at `atFrames`. */
  expect(sequence: number, frames: number, arrivalFrames: number, atFrames: number): void {
    const placed = this.send(sequence, frames, arrivalFrames);
    assert.deepEqual(placed, { atSample: atFrames * frame, durationSamples: frame });
  }
}
