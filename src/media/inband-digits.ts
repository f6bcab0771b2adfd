import { DtmfDetector } from '../audio/dtmf-detector.ts';
import { slotSamplesAt } from './codec-table.ts';
import type { Playout } from './playout.ts';

/** @param sinceDownMs how long ago the key went down, as it was heard */
export type InbandPress = (digit: string, durationMs: number, sinceDownMs: number) => void;

/** Hears keys in the audio of a leg that negotiated no telephone events. */
export class InbandDigits {
  readonly #pressed: InbandPress;
  #detector: DtmfDetector | undefined;
  #rateHz = 0;
  /** Given to the detector, the slot that it looks at included. */
  #position = 0;

  constructor(pressed: InbandPress) {
    this.#pressed = pressed;
  }

  /** Once a slot, with what it brought. */
  hear({ frame, rateHz }: Playout): void {
    if (!this.#detector || rateHz !== this.#rateHz) {
      this.#rateHz = rateHz;
      this.#position = 0;
      const toMs = (samples: number) => Math.round((samples * 1000) / rateHz);
      this.#detector = new DtmfDetector(rateHz, (digit, start, samples) =>
        this.#pressed(digit, toMs(samples), toMs(this.#position - start)),
      );
    }
    this.#position += frame?.length ?? slotSamplesAt(rateHz);
    if (frame) this.#detector.push(frame);
    else this.#detector.skip(slotSamplesAt(rateHz));
  }
}
