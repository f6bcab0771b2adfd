/** What a recording is asked to do beside recording. What is absent is not done. Times in milliseconds. */
export interface RecorderOptions {
  /**
   * Of a call that is recorded by itself (SWML `record_call`): what the party says, what it is sent, or both. A room's
   * recording has everything that is said in it.
   */
  direction?: 'both' | 'speak' | 'listen';
  /** Keys that end it: `0`-`9`, `*`, `#`, `A`-`D`. */
  terminators?: string;
  /** A tone to the party before the recording begins. */
  beep?: boolean;
  /** A short tone to everybody so often while it records. */
  warningToneIntervalMs?: number;
  /** 0 to 100, the higher the more is speech (`audio/voice-activity`). */
  inputSensitivity?: number;
  /** Ends it with `no_input` where nobody spoke for so long from its beginning. */
  initialTimeoutMs?: number;
  /** Ends it when the speech is over for so long. */
  endSilenceTimeoutMs?: number;
  /** Ends it at so much recorded time; paused time does not count. */
  maxLengthMs?: number;
  /** Silence before the first and behind the last word is left out of the files. */
  trim?: boolean;
  /** Nothing of a party is recorded before its `recording.consent`. */
  consent?: 'required';
  /** `recording.notice` follows. */
  notice?: boolean;
  /** With `consent`: what a party said last before it consented by voice is kept (`voiceMethod`). */
  keepConsentClip?: boolean;
}

/** Of a consent that was spoken. */
export const voiceMethod = 'voice';
/** How much of what was said before is kept of it, at most. */
export const maxClipMs = 10_000;

/** Longer, and no recording comes to it. */
export const maxRecordingMs = 366 * 86_400_000;
/** Longer, and a timer is no timer. */
export const maxTimerMs = 86_400_000;
