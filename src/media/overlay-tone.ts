import { ToneGenerator } from '../audio/tone.ts';
import { type AudioRateHz, maxSlotSamples, slotSamplesAt, slotUs } from './codec-table.ts';

/** `beep`: recording begins behind it. `warning`: recording goes on. */
export type OverlayToneKind = 'beep' | 'warning';

/** In whole slots. What telephone recorders sound is 1400 Hz (47 CFR 64.501 (1985)); the warning is the shorter one. */
const shapes = { beep: { slots: 20 }, warning: { slots: 10 } } as const;
const frequencyHz = 1400;
const levelDbov = -20;
/** Of all legs: it is added at once. */
const oneSlot = new Int16Array(maxSlotSamples);

interface Overlay {
  readonly kind: OverlayToneKind;
  slot: number;
  readonly ended: ((atUs: number | undefined) => void)[];
}

/** Tones over whatever else a leg is sent, one after the other. */
export class OverlayTone {
  readonly #waiting: Overlay[] = [];

  get active(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * A warning while another one waits or sounds is the same one: those of many recordings do not add up.
   * @param ended told the moment at which it is over, exactly; undefined where the leg is closed before
   */
  start(kind: OverlayToneKind, ended: (atUs: number | undefined) => void): void {
    const warning = kind === 'warning' && this.#waiting.find((each) => each.kind === kind);
    if (warning) warning.ended.push(ended);
    else this.#waiting.push({ kind, slot: 0, ended: [ended] });
  }

  /** Adds the next slot of it. */
  addTo(out: Int16Array, rateHz: AudioRateHz, slotAtUs: number): void {
    const overlay = this.#waiting[0];
    if (!overlay) return;
    const samples = slotSamplesAt(rateHz);
    const tone = oneSlot.subarray(0, samples);
    new ToneGenerator({ rateHz, frequencyHz, levelDbov }, overlay.slot * samples).write(tone);
    for (let i = 0; i < out.length; i++) out[i] = Math.max(-32_768, Math.min(32_767, out[i]! + tone[i]!));
    if (++overlay.slot < shapes[overlay.kind].slots) return;
    this.#waiting.shift();
    for (const ended of overlay.ended) ended(slotAtUs + slotUs);
  }

  close(): void {
    for (const overlay of this.#waiting.splice(0)) for (const ended of overlay.ended) ended(undefined);
  }
}
