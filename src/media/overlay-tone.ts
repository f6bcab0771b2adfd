import { ToneGenerator } from '../audio/tone.ts';
import { type AudioRateHz, slotSamplesAt, slotUs } from './codec-table.ts';

/** `beep`: recording begins behind it. `warning`: recording goes on. */
export type OverlayToneKind = 'beep' | 'warning';

/** In whole slots. What telephone recorders sound is 1400 Hz (47 CFR 64.501 (1985)); the warning is the shorter one. */
const shapes = { beep: { slots: 20 }, warning: { slots: 10 } } as const;
const frequencyHz = 1400;
const levelDbov = -20;

interface Overlay {
  readonly kind: OverlayToneKind;
  slot: number;
  ended(atUs: number | undefined): void;
}

/** Tones over whatever else a leg is sent, one after the other. */
export class OverlayTone {
  readonly #waiting: Overlay[] = [];

  get active(): boolean {
    return this.#waiting.length > 0;
  }

  /** @param ended told the moment at which it is over, exactly; undefined where the leg is closed before */
  start(kind: OverlayToneKind, ended: (atUs: number | undefined) => void): void {
    this.#waiting.push({ kind, slot: 0, ended });
  }

  /** Adds the next slot of it. */
  addTo(out: Int16Array, rateHz: AudioRateHz, slotAtUs: number): void {
    const overlay = this.#waiting[0];
    if (!overlay) return;
    const samples = slotSamplesAt(rateHz);
    const tone = new Int16Array(samples);
    new ToneGenerator({ rateHz, frequencyHz, levelDbov }, overlay.slot * samples).write(tone);
    for (let i = 0; i < out.length; i++) out[i] = Math.max(-32_768, Math.min(32_767, out[i]! + tone[i]!));
    if (++overlay.slot < shapes[overlay.kind].slots) return;
    this.#waiting.shift();
    overlay.ended(slotAtUs + slotUs);
  }

  close(): void {
    for (const { ended } of this.#waiting.splice(0)) ended(undefined);
  }
}
