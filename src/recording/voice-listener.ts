import { SilenceTimer } from '../audio/silence-timer.ts';
import { VoiceActivity } from '../audio/voice-activity.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { TrackListener } from './recorded-track.ts';
import { voiceRateHz } from './stay-decoder.ts';

export interface VoiceExpiry {
  reason: 'no_input' | 'end_silence';
  /** In recorded time, at `voiceRateHz`. */
  at: number;
}

/** A second: more than any packet is late that is still placed. */
const windowSamples = 8192;
/** The timer is asked at least so often, in samples. */
const maxStep = 640;

/**
 * Hears the parties of a recording together, in recorded time at `voiceRateHz`, a moment behind so that packets find
 * their order; what did not come by then is silence.
 */
export class VoiceListener implements TrackListener {
  readonly #toRecorded: (atSample: number) => number;
  readonly #voice: VoiceActivity;
  readonly #timer: SilenceTimer;
  readonly #window = new Int16Array(windowSamples);
  #position = 0;
  #first = -1;
  #last = -1;

  /** @param toRecorded a position of the recording in recorded time, at `voiceRateHz` */
  constructor(options: RecorderOptions, toRecorded: (atSample: number) => number) {
    const { inputSensitivity, initialTimeoutMs, endSilenceTimeoutMs } = options;
    this.#toRecorded = toRecorded;
    this.#voice = new VoiceActivity({
      rateHz: voiceRateHz,
      ...(inputSensitivity !== undefined && { inputSensitivity }),
    });
    this.#timer = new SilenceTimer({ rateHz: voiceRateHz, initialTimeoutMs, endSilenceTimeoutMs });
  }

  /** From the first word to the last, in recorded time; undefined where there was none. */
  get speech(): { from: number; to: number } | undefined {
    return this.#first < 0 ? undefined : { from: this.#first, to: this.#last };
  }

  hear(atSample: number, samples: Int16Array): void {
    let at = this.#toRecorded(atSample);
    // Of a clock that stood still while nothing was sent: it is said now.
    if (at + samples.length <= this.#position) at = this.#position;
    const from = Math.max(0, this.#position - at);
    const to = Math.min(samples.length, this.#position + windowSamples - at);
    for (let i = from; i < to; i++) {
      const index = (at + i) & (windowSamples - 1);
      this.#window[index] = Math.max(-32_768, Math.min(32_767, this.#window[index]! + samples[i]!));
    }
  }

  /** Listens up to a position in recorded time. */
  advance(to: number): VoiceExpiry | undefined {
    while (this.#position < to) {
      const start = this.#position & (windowSamples - 1);
      const end = Math.min(windowSamples, start + Math.min(maxStep, to - this.#position));
      this.#voice.push(this.#window, start, end);
      this.#window.fill(0, start, end);
      this.#position += end - start;
      this.#notice();
      const expiry = this.#timer.decide(this.#voice);
      if (expiry)
        return { reason: expiry.reason === 'noInput' ? 'no_input' : 'end_silence', at: expiry.atSample };
    }
    return undefined;
  }

  #notice(): void {
    const { speechFrom, speechTo } = this.#voice;
    if (speechFrom < 0) return;
    if (this.#first < 0) this.#first = speechFrom;
    this.#last = speechTo;
  }
}
