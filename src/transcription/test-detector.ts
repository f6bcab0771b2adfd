import { rmsDbov } from '../audio/level.ts';
import type { WindowDetector } from './channel-detector.ts';
import { windowSamples } from './speech-segmenter.ts';

/** For tests only: what is louder than -40 dBov is speech, told at the end of its window, and half a second behind. */
export class LoudnessDetector implements WindowDetector {
  readonly onsetSamples = windowSamples;
  readonly hangSamples = 16 * windowSamples;
  /** Windows it was given. */
  accepted = 0;
  resets = 0;
  #quietWindows = Number.POSITIVE_INFINITY;

  accept(window: Int16Array): boolean {
    this.accepted++;
    this.#quietWindows = rmsDbov(window) > -40 ? 0 : this.#quietWindows + 1;
    return this.#quietWindows < 16;
  }

  reset(): void {
    this.resets++;
    this.#quietWindows = Number.POSITIVE_INFINITY;
  }
}
