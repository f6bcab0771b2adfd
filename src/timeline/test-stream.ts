import assert from 'node:assert/strict';
import { type TrackPacket, TrackPlacer } from './track-placer.ts';

export const frame = 160;

interface Numbered extends TrackPacket {
  index: number;
}

/** Packets of 20 ms at 8 kHz; `index` counts sequence numbers, `frames` RTP time, `atMs` is the arrival. */
export class Stream {
  readonly placedFrames = new Map<number, number>();
  readonly placer: TrackPlacer<Numbered>;
  #ssrc = 1;

  constructor({ startMs = 0 } = {}) {
    this.placer = new TrackPlacer({ rateHz: 8000, startSample: startMs * 8 }, ({ index }, placement) => {
      assert.equal(placement.durationSamples, frame);
      assert.equal(this.placedFrames.has(index), false);
      this.placedFrames.set(index, placement.atSample / frame);
    });
    this.use(1);
  }

  use(ssrc: number): void {
    this.#ssrc = ssrc;
    this.placer.format({ codec: 'PCMU', clockRateHz: 8000, ssrc });
  }

  send(index: number, frames: number, atMs: number): void {
    this.placer.offer({
      index: this.#ssrc * 100_000 + index,
      sequenceNumber: (65_530 + index) & 0xffff,
      rtpTime: (2 ** 32 - 500 + frames * frame) >>> 0,
      arrivalUs: atMs * 1000,
      durationTicks: frame,
    });
  }

  /** In time, from `first` up to `last`. */
  run(first: number, last: number, { frames = 0, lateMs = 0 } = {}): void {
    for (let k = first; k < last; k++) this.send(k, k + frames, (k + frames) * 20 + lateMs);
  }

  /** Where each packet of the present stream lies, in frames, in order of its number. */
  frames(first: number, last: number): (number | undefined)[] {
    this.placer.finish();
    return Array.from({ length: last - first }, (_, k) =>
      this.placedFrames.get(this.#ssrc * 100_000 + first + k),
    );
  }
}

export const upFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => first + k);
