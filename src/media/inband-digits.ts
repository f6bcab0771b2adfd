import { DtmfDetector } from '../audio/dtmf-detector.ts';
import { slotSamplesAt } from './codec-table.ts';
import type { Playout } from './playout.ts';

/** Hears keys in the audio of a leg that negotiated no telephone events. */
export class InbandDigits {
  readonly #pressed: (digit: string, durationMs: number) => void;
  #detector: DtmfDetector | undefined;
  #rateHz = 0;

  constructor(pressed: (digit: string, durationMs: number) => void) {
    this.#pressed = pressed;
  }

  /** Once a slot, with what it brought. */
  hear({ frame, rateHz }: Playout): void {
    if (!this.#detector || rateHz !== this.#rateHz) {
      this.#rateHz = rateHz;
      this.#detector = new DtmfDetector(rateHz, (digit, _start, samples) =>
        this.#pressed(digit, Math.round((samples * 1000) / rateHz)),
      );
    }
    if (frame) this.#detector.push(frame);
    else this.#detector.skip(slotSamplesAt(rateHz));
  }
}
