import { meanSquareToDbov } from '../audio/level.ts';

/** Below it there is no voice that anybody could make out. */
const quietDbov = -60;
/** So many quiet windows in a row (1 s) until the detector is spared. */
const patience = 32;
/** It hears so many again (0.26 s) when something comes: it has a memory. */
const warmUpWindows = 8;

/** Spares the voice activity detector what is silent anyway: most of every call, all of a party on hold. */
export class QuietGate {
  readonly #recent: Int16Array[] = [];
  #quietWindows = 0;

  /**
   * What the detector is to be given now: nothing, this window, or the ones before it too.
   * @param isSpeaking the detector's last answer
   */
  pass(window: Int16Array, isSpeaking: boolean): readonly Int16Array[] {
    const wasOpen = this.#quietWindows < patience;
    this.#quietWindows = isSpeaking || isLoud(window) ? 0 : this.#quietWindows + 1;
    const isOpen = this.#quietWindows < patience;
    const passed = isOpen ? (wasOpen ? [window] : [...this.#recent, window]) : [];
    this.#recent.push(window);
    if (this.#recent.length > warmUpWindows) this.#recent.shift();
    return passed;
  }
}

function isLoud(window: Int16Array): boolean {
  let energy = 0;
  for (const sample of window) energy += sample * sample;
  return meanSquareToDbov(energy / window.length) > quietDbov;
}
