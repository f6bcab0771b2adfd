import { tone } from '../audio/tone.ts';
import type { Leg } from './leg.ts';
import type { Playback } from './prompt-playback.ts';

const rateHz = 8000;
/** The European cadence: one second of 425 Hz, four of silence (ITU-T E.180). */
const toneSamples = rateHz;
const pauseSamples = 4 * rateHz;

let cadence: Int16Array | undefined;

function ringbackCadence(): Int16Array {
  if (cadence) return cadence;
  cadence = new Int16Array(toneSamples + pauseSamples);
  cadence.set(tone({ rateHz, frequencyHz: 425, levelDbov: -20 }, toneSamples));
  return cadence;
}

/** What a caller hears while the called party rings: its own phone's tone before the answer (180), ours after it. */
export class Ringback {
  readonly #caller: Leg;
  #playback: Playback | undefined;
  #begun = false;

  constructor(caller: Leg) {
    this.#caller = caller;
  }

  /** Once: what was stopped does not begin again. */
  start(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (this.#caller.answered) this.#playback = this.#caller.play(ringbackCadence(), rateHz, true);
    else this.#caller.ring();
  }

  stop(): void {
    this.#begun = true;
    this.#playback?.stop();
    this.#playback = undefined;
  }
}
