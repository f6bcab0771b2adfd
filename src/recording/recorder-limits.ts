import type { RecorderOptions } from '../media/recorder-options.ts';
import type { RecordedTime } from './recorded-time.ts';
import type { RecordedTrack } from './recorded-track.ts';
import type { RecorderEnd } from './recorder-states.ts';
import { voiceRateHz } from './stay-decoder.ts';
import { VoiceListener } from './voice-listener.ts';

/** So long after the limit audio is waited for that was said before it. */
const lateAudioSeconds = 0.2;
/** Voice activity hears so far behind now: packets come with jitter. */
const hearingDelaySeconds = 0.06;

/** The first words are in one of so many stays that ended last. */
const maxHeardTracks = 16;

/** Speech is heard by hops of 10 ms, and a word may begin in the last samples of the one before. */
const onsetSamples = voiceRateHz / 100;

/** What ends a recording by itself: length, and silence. Decided on its samples, not on timers. */
export class RecorderLimits {
  readonly listener: VoiceListener | undefined;
  /** Whether there is anything to look at. */
  readonly any: boolean;
  readonly #options: RecorderOptions;
  readonly #rateHz: number;
  readonly #time: RecordedTime;
  readonly #maxLength: number;
  readonly #heard: RecordedTrack[] = [];

  constructor(options: RecorderOptions, rateHz: number, time: RecordedTime) {
    const { maxLengthMs, initialTimeoutMs, endSilenceTimeoutMs, trim = false } = options;
    this.#options = options;
    this.#rateHz = rateHz;
    this.#time = time;
    this.#maxLength =
      maxLengthMs === undefined ? Number.POSITIVE_INFINITY : Math.round((maxLengthMs * rateHz) / 1000);
    const listens = initialTimeoutMs !== undefined || endSilenceTimeoutMs !== undefined || trim;
    if (listens) this.listener = new VoiceListener(options, (sample) => this.#voiceTime(sample));
    this.any = listens || maxLengthMs !== undefined;
  }

  /**
   * @param nowSample on the recording's clock
   * @param mediaEnd up to where all audio has come
   */
  reached(nowSample: number, mediaEnd: number): RecorderEnd | undefined {
    const heardTo = nowSample - Math.round(hearingDelaySeconds * this.#rateHz);
    const expiry = this.listener?.advance(this.#voiceTime(heardTo));
    const limit = this.#maxLength;
    if (expiry) {
      const recorded = Math.round((expiry.at * this.#rateHz) / voiceRateHz);
      if (recorded <= limit) return { reason: expiry.reason, atSample: this.#time.sampleOf(recorded) };
    }
    if (this.#time.at(nowSample) < limit) return undefined;
    const atSample = this.#time.sampleOf(limit);
    const isComplete = mediaEnd >= atSample || nowSample >= atSample + lateAudioSeconds * this.#rateHz;
    return isComplete ? { reason: 'max_length', atSample } : undefined;
  }

  /** Where its length is over, if that is so by now; what may have come late by then is not waited for. */
  lengthReached(nowSample: number): number | undefined {
    return this.#time.at(nowSample) < this.#maxLength ? undefined : this.#time.sampleOf(this.#maxLength);
  }

  /** A stay has ended that was listened to. */
  closed(track: RecordedTrack): void {
    if (!this.#options.trim || this.#isBehindFirstWords(track)) return;
    this.#heard.push(track);
    if (this.#heard.length > maxHeardTracks) this.#heard.shift();
  }

  #isBehindFirstWords({ startSample }: RecordedTrack): boolean {
    const from = this.listener?.speech?.from;
    return from !== undefined && this.#voiceTime(startSample) > from;
  }

  /** What the files are to hold where silence is to be left out and somebody spoke. */
  trim(endSample: number): { fromSample: number; toSample: number } | undefined {
    if (!this.#options.trim || !this.listener) return undefined;
    this.listener.advance(this.#voiceTime(endSample));
    const { speech } = this.listener;
    if (!speech) return undefined;
    const toSample = (at: number) => this.#time.sampleOf(Math.round((at * this.#rateHz) / voiceRateHz));
    const heardSample = toSample(Math.max(0, speech.from - onsetSamples));
    // Speech is heard as it arrives; where packets were late at first it lies earlier.
    const earlier = Math.max(0, ...this.#heard.map((track) => track.earlierBy(heardSample)));
    const fromSample = Math.max(toSample(0), heardSample - earlier);
    return { fromSample, toSample: Math.max(fromSample, Math.min(endSample, toSample(speech.to))) };
  }

  #voiceTime(sample: number): number {
    return Math.round((this.#time.at(sample) * voiceRateHz) / this.#rateHz);
  }
}
