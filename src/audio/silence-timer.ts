import { nextState, type TransitionTable } from '../state-machine.ts';
import { endOfSpeechDelayMs, type VoiceProgress } from './voice-activity.ts';

/** On sample time. What is absent never comes; 0 comes at once. */
export interface SilenceTimerOptions {
  rateHz: number;
  /** So long after the start, where no speech began before. */
  initialTimeoutMs?: number | undefined;
  /** So long after the end of speech, where none began before. Without speech it never comes. */
  endSilenceTimeoutMs?: number | undefined;
}

/** Positions are those of the voice activity, counted in samples. */
export interface SilenceExpiry {
  readonly reason: 'noInput' | 'endSilence';
  /** The first sample of the silence: 0, or where speech ended. */
  readonly silenceFrom: number;
  /** The silence and the timeout: exactly where it is over. */
  readonly atSample: number;
}

type TimerState = 'waiting' | 'heard' | 'noInput' | 'endSilence';
type TimerEvent = 'speech' | 'timeout';

export const silenceTimerTable: TransitionTable<TimerState, TimerEvent> = {
  waiting: { speech: 'heard', timeout: 'noInput' },
  heard: { timeout: 'endSilence' },
  noInput: {},
  endSilence: {},
};

/** Says once when silence has lasted too long. What its voice activity is not given, as in a pause, takes no time. */
export class SilenceTimer {
  readonly #initialTimeout: number;
  readonly #endSilenceTimeout: number;
  readonly #endOfSpeech: number;
  #state: TimerState = 'waiting';
  /** The end of the last speech seen. */
  #speechTo = 0;
  #expiry: SilenceExpiry | undefined;

  constructor({ rateHz, initialTimeoutMs, endSilenceTimeoutMs }: SilenceTimerOptions) {
    const toSamples = (ms: number | undefined) =>
      ms === undefined ? Number.POSITIVE_INFINITY : Math.round((ms * rateHz) / 1000);
    this.#endOfSpeech = toSamples(endOfSpeechDelayMs);
    this.#initialTimeout = toSamples(initialTimeoutMs);
    this.#endSilenceTimeout = toSamples(endSilenceTimeoutMs);
  }

  /**
   * To be asked each time the voice activity was given samples, of 240 ms at most, or was advanced.
   * @param voice the same object each time
   * @returns the expiry, `onsetDelayMs` behind it at most; the same from then on
   */
  decide(voice: VoiceProgress): SilenceExpiry | undefined {
    if (this.#expiry) return this.#expiry;
    // Speech of behind the deadline is too late.
    if (voice.speechFrom >= 0 && voice.speechFrom < this.#deadline()) this.#hear(voice.speechTo);
    const atSample = this.#deadline();
    const isUndecided = voice.candidateFrom >= 0 && voice.candidateFrom < atSample;
    if (isUndecided || voice.position < Math.max(atSample, this.#knownAt())) return undefined;
    const silenceFrom = this.#state === 'waiting' ? 0 : this.#speechTo;
    const state = this.#step('timeout');
    if (state !== 'noInput' && state !== 'endSilence') return undefined;
    this.#expiry = { reason: state, silenceFrom, atSample };
    return this.#expiry;
  }

  /** A shorter timeout than it takes to see that speech goes on no more would come in the middle of a word. */
  #knownAt(): number {
    return this.#state === 'waiting' ? 0 : this.#speechTo + this.#endOfSpeech;
  }

  #deadline(): number {
    return this.#state === 'waiting' ? this.#initialTimeout : this.#speechTo + this.#endSilenceTimeout;
  }

  #hear(speechTo: number): void {
    if (this.#state === 'waiting') this.#step('speech');
    this.#speechTo = speechTo;
  }

  #step(event: TimerEvent): TimerState {
    this.#state = nextState('silence timer', silenceTimerTable, this.#state, event) ?? this.#state;
    return this.#state;
  }
}
