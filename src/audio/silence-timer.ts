import { nextState, type TransitionTable } from '../state-machine.ts';
import type { VoiceProgress } from './voice-activity.ts';

/** Limits of a recording that ends by itself, on sample time. What is absent never comes. */
export interface SilenceTimerOptions {
  rateHz: number;
  /** Ends it where no speech began before. */
  initialTimeoutMs?: number | undefined;
  /** Ends it so long after the end of speech, where none began before. */
  endSilenceTimeoutMs?: number | undefined;
  maxLengthMs?: number | undefined;
}

export type TimerEnd = 'no_input' | 'end_silence' | 'max_length';

export interface TimerExpiry {
  readonly end: TimerEnd;
  /** Exactly where it is over; told as soon as it is known, at most 80 ms later. */
  readonly atSample: number;
}

type TimerState = 'waiting' | 'heard' | TimerEnd;
type TimerEvent = 'speech' | 'withdrawn' | TimerEnd;

const transitions: TransitionTable<TimerState, TimerEvent> = {
  waiting: { speech: 'heard', no_input: 'no_input', max_length: 'max_length' },
  heard: { withdrawn: 'waiting', end_silence: 'end_silence', max_length: 'max_length' },
  no_input: {},
  end_silence: {},
  max_length: {},
};

const never = Number.POSITIVE_INFINITY;

/**
 * Says when a recording is over. Positions are those of its voice activity, from 0 at its first sample; while it is
 * paused neither is given samples, and time stands still. The first condition wins.
 */
export class SilenceTimer {
  readonly #initialTimeout: number;
  readonly #endSilenceTimeout: number;
  readonly #maxLength: number;
  #state: TimerState = 'waiting';
  /** The end of the last speech seen. */
  #speechTo = -1;
  #expiry: TimerExpiry | undefined;

  constructor({ rateHz, initialTimeoutMs, endSilenceTimeoutMs, maxLengthMs }: SilenceTimerOptions) {
    const toSamples = (ms: number | undefined) =>
      ms === undefined ? never : Math.round((ms * rateHz) / 1000);
    this.#initialTimeout = toSamples(initialTimeoutMs);
    this.#endSilenceTimeout = toSamples(endSilenceTimeoutMs);
    this.#maxLength = toSamples(maxLengthMs);
  }

  /** Whether `decide` looks at speech at all: where not, nobody need listen for any. */
  get needsVoice(): boolean {
    return this.#initialTimeout !== never || this.#endSilenceTimeout !== never;
  }

  /**
   * To be asked whenever the voice activity took samples, of 240 ms at most.
   * @param position samples so far
   * @param voice the same object each time; none where `needsVoice` is false
   */
  decide(position: number, voice?: VoiceProgress): TimerExpiry | undefined {
    if (this.#expiry) return this.#expiry;
    const pendingFrom = voice && voice.candidateFrom >= 0 ? voice.candidateFrom : never;
    const deadline = this.#deadline(voice);
    if (deadline <= this.#maxLength && deadline <= position && deadline <= pendingFrom)
      return this.#expire(this.#state === 'waiting' ? 'no_input' : 'end_silence', deadline);
    if (this.#maxLength <= position) return this.#expire('max_length', this.#maxLength);
    return undefined;
  }

  /** Where it is over unless speech begins before. */
  #deadline(voice: VoiceProgress | undefined): number {
    const deadline = this.#deadlineOf();
    if (!voice || voice.speechFrom >= deadline) return deadline;
    if (voice.speechFrom < 0) {
      if (this.#state === 'heard') this.#step('withdrawn');
    } else if (this.#state === 'waiting') {
      this.#step('speech');
    }
    this.#speechTo = voice.speechTo;
    return this.#deadlineOf();
  }

  #deadlineOf(): number {
    return this.#state === 'waiting' ? this.#initialTimeout : this.#speechTo + this.#endSilenceTimeout;
  }

  #expire(end: TimerEnd, atSample: number): TimerExpiry {
    this.#step(end);
    this.#expiry = { end, atSample };
    return this.#expiry;
  }

  #step(event: TimerEvent): void {
    this.#state = nextState('silence timer', transitions, this.#state, event) ?? this.#state;
  }
}
