import { VoiceActivity } from '../audio/voice-activity.ts';
import { type AudioRateHz, slotSamplesAt } from './codec-table.ts';
import { FrameResampler } from './frame-resampler.ts';
import type { HeardUtterance, ListenStart } from './listen-control.ts';
import type { PartySlot } from './room-mix.ts';

export type UtteranceListenerOptions = Pick<ListenStart, 'endSilenceMs' | 'maxSpeechMs' | 'initialTimeoutMs'>;

export type UtteranceOutcome = { reason: 'speech'; utterance: HeardUtterance } | { reason: 'no-input' };

/** Kept around what was said: recognisers lose words that begin or end at once. */
const preRollMs = 400;
const postRollMs = 300;
/** What came before that is forgotten, a little of it at a time. */
const memoryMs = 1000;
const firstBufferMs = 3000;
const slotMs = 20;

/**
 * One utterance of a party, out of its slots of 20 ms: from where somebody begins to speak to where nobody has spoken
 * for a while. All times are those of the slots. Narrowband stays at 8 kHz, anything else comes to 16 kHz.
 */
export class UtteranceListener {
  readonly #options: UtteranceListenerOptions;
  /** Slots before the first audio: its rate is that of the utterance. */
  #slotsBefore = 0;
  #rateHz: 8000 | 16_000 = 8000;
  #voice: VoiceActivity | undefined;
  #resampler: FrameResampler | undefined;
  #samples = new Int16Array(0);
  /** What `#samples` holds: [from, from + length) on the scale of the voice activity. */
  #from = 0;
  #length = 0;
  /** Where speech began; -1 before. */
  #speechFrom = -1;
  /** Slots since it was armed; undefined before. */
  #waitedSlots: number | undefined;

  constructor(options: UtteranceListenerOptions) {
    this.#options = options;
  }

  /** Somebody has begun to speak. */
  get hasBegun(): boolean {
    return this.#speechFrom >= 0;
  }

  /** From here on the party is waited for. */
  arm(): void {
    this.#waitedSlots ??= 0;
  }

  /** Once a slot, with what it brought. @returns how it ended, once */
  hear({ frame, rateHz }: Pick<PartySlot, 'frame' | 'rateHz'>): UtteranceOutcome | undefined {
    if (this.#waitedSlots !== undefined) this.#waitedSlots++;
    if (frame) this.#add(frame, rateHz);
    else this.#addSilence();
    const voice = this.#voice;
    if (!voice) return this.#isTooLate() ? { reason: 'no-input' } : undefined;
    if (voice.speaking && !this.hasBegun) this.#speechFrom = voice.speechFrom;
    if (!this.hasBegun) {
      this.#forget();
      return voice.candidateFrom < 0 && this.#isTooLate() ? { reason: 'no-input' } : undefined;
    }
    const { endSilenceMs, maxSpeechMs } = this.#options;
    const silentFor = voice.speaking ? 0 : voice.position - voice.speechTo;
    const isOver = silentFor >= this.#samplesOf(endSilenceMs);
    if (!isOver && voice.position - this.#speechFrom < this.#samplesOf(maxSpeechMs)) return undefined;
    return { reason: 'speech', utterance: this.#utterance(voice.speechTo) };
  }

  #isTooLate(): boolean {
    const { initialTimeoutMs } = this.#options;
    return this.#waitedSlots !== undefined && this.#waitedSlots * slotMs >= initialTimeoutMs;
  }

  #utterance(speechTo: number): HeardUtterance {
    const from = Math.max(this.#from, this.#speechFrom - this.#samplesOf(preRollMs));
    const to = Math.min(this.#from + this.#length, speechTo + this.#samplesOf(postRollMs));
    return { samples: this.#samples.slice(from - this.#from, to - this.#from), rateHz: this.#rateHz };
  }

  #add(frame: Int16Array, rateHz: AudioRateHz): void {
    const voice = (this.#voice ??= this.#begin(rateHz));
    const samples = rateHz === this.#rateHz ? frame : this.#resampled(frame, rateHz);
    voice.push(samples);
    this.#reserve(samples.length);
    this.#samples.set(samples, this.#length);
    this.#length += samples.length;
  }

  #addSilence(): void {
    if (!this.#voice) {
      this.#slotsBefore++;
      return;
    }
    const samples = slotSamplesAt(this.#rateHz);
    this.#voice.advanceTo(this.#voice.position + samples);
    this.#reserve(samples);
    this.#samples.fill(0, this.#length, this.#length + samples);
    this.#length += samples;
  }

  #begin(rateHz: AudioRateHz): VoiceActivity {
    this.#rateHz = rateHz === 8000 ? 8000 : 16_000;
    const voice = new VoiceActivity({ rateHz: this.#rateHz });
    this.#from = this.#slotsBefore * slotSamplesAt(this.#rateHz);
    voice.advanceTo(this.#from);
    this.#samples = new Int16Array(this.#samplesOf(firstBufferMs));
    return voice;
  }

  #resampled(frame: Int16Array, fromHz: AudioRateHz): Int16Array {
    if (this.#resampler?.fromHz !== fromHz) this.#resampler = new FrameResampler(fromHz, this.#rateHz);
    return this.#resampler.push(frame);
  }

  /** Before anybody speaks only the last moment is of use. */
  #forget(): void {
    const kept = this.#samplesOf(memoryMs);
    if (this.#length < 2 * kept) return;
    this.#samples.copyWithin(0, this.#length - kept, this.#length);
    this.#from += this.#length - kept;
    this.#length = kept;
  }

  #reserve(samples: number): void {
    if (this.#length + samples <= this.#samples.length) return;
    const longer = new Int16Array(2 * this.#samples.length);
    longer.set(this.#samples.subarray(0, this.#length));
    this.#samples = longer;
  }

  #samplesOf(ms: number): number {
    return Math.round((ms * this.#rateHz) / 1000);
  }
}
