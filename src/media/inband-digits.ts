import { DtmfDetector } from '../audio/dtmf-detector.ts';
import { slotSamplesAt } from './codec-table.ts';
import type { Playout } from './playout.ts';

export interface InbandDigitsOptions {
  /** As soon as it is sure to be a key. @param downUs when it went down, as it was heard; monotonic microseconds */
  wentDown(digit: string, downUs: number): void;
  cameUp(digit: string, durationMs: number): void;
}

/** A key that begins so soon behind a cut was down before it. */
const cutMs = 10;

/** Hears keys in the audio of a leg that negotiated no telephone events. */
export class InbandDigits {
  readonly #options: InbandDigitsOptions;
  #detector: DtmfDetector | undefined;
  #rateHz = 0;
  /** Given to the detector, the slot that it looks at included. */
  #position = 0;
  #nowUs = 0;
  /** When the audio was cut, and where it went on; undefined: it did not yet. */
  #cutUs = Number.NEGATIVE_INFINITY;
  #wentOnAt: number | undefined = Number.NEGATIVE_INFINITY;
  #isCutting = false;
  /** The key that sounded when it was cut. */
  #cutKey = '';

  constructor(options: InbandDigitsOptions) {
    this.#options = options;
  }

  /** Once a slot, with what it brought. */
  hear({ frame, rateHz }: Playout, nowUs: number): void {
    if (!this.#detector || rateHz !== this.#rateHz) {
      this.#rateHz = rateHz;
      this.#position = 0;
      if (this.#wentOnAt !== undefined) this.#wentOnAt = Number.NEGATIVE_INFINITY;
      this.#detector = new DtmfDetector(
        rateHz,
        (...press) => this.#released(...press),
        (...down) => this.#wentDown(...down),
      );
    }
    if (frame) this.#wentOnAt ??= this.#position;
    this.#nowUs = nowUs;
    this.#position += frame?.length ?? slotSamplesAt(rateHz);
    if (frame) this.#detector.push(frame);
    else this.#detector.skip(slotSamplesAt(rateHz));
  }

  /** What comes from here on does not follow what was heard; a key that sounds on is the one of before. */
  cut(nowUs: number): void {
    this.#cutKey = '';
    this.#isCutting = true;
    this.#detector?.skip(0);
    this.#isCutting = false;
    this.#cutUs = nowUs;
    this.#wentOnAt = undefined;
  }

  #wentDown(digit: string, startSample: number): void {
    const downUs = this.#nowUs - this.#toMs(this.#position - startSample) * 1000;
    if (!this.#isCut(startSample)) this.#options.wentDown(digit, downUs);
    else if (digit !== this.#cutKey) this.#options.wentDown(digit, Math.min(downUs, this.#cutUs - 1));
  }

  #released(digit: string, startSample: number, samples: number): void {
    if (this.#isCutting) this.#cutKey = digit;
    else if (this.#isCut(startSample) && digit === this.#cutKey) return;
    this.#options.cameUp(digit, this.#toMs(samples));
  }

  /** Whether it was down before the cut, as far as can be heard. */
  #isCut(startSample: number): boolean {
    return this.#toMs(startSample - (this.#wentOnAt ?? startSample)) <= cutMs;
  }

  #toMs(samples: number): number {
    return Math.round((samples * 1000) / this.#rateHz);
  }
}
