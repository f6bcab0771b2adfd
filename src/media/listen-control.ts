/**
 * How the server has a media worker listen to what one party says: one utterance, from its beginning to its end, told
 * as samples. It goes through memory alone, whatever is recorded of the party, and nothing of it is kept.
 */

/** Of one leg, one at a time; in a room or out of it. Answered at once; `listen.ended` follows in any case. */
export interface ListenStart {
  verb: 'listen.start';
  legId: string;
  listenId: string;
  /** So much silence behind what was said ends it; at least as long as a pause within a sentence. */
  endSilenceMs: number;
  /** Who speaks on is cut off. */
  maxSpeechMs: number;
  /** So long after `listen.arm` nobody is waited for any more who has not begun to speak. */
  initialTimeoutMs: number;
}

/** The party is waited for from here on: the prompts have ended. */
export interface ListenArm {
  verb: 'listen.arm';
  legId: string;
  listenId: string;
}

/** One that has ended already is no error: it may just have come to its end. */
export interface ListenStop {
  verb: 'listen.stop';
  legId: string;
  listenId: string;
}

export type ListenCommand = ListenStart | ListenArm | ListenStop;

/** Mono, 16 bit; with a moment of what lies before and behind what was said. */
export interface HeardUtterance {
  samples: Int16Array;
  rateHz: 8000 | 16_000;
}

export type ListenEnd = 'speech' | 'no-input' | 'stopped' | 'leg-closed';

export type ListenEvent =
  /** The party has begun to speak. */
  | { event: 'listen.speech'; legId: string; listenId: string }
  | {
      event: 'listen.ended';
      legId: string;
      listenId: string;
      reason: ListenEnd;
      /** Of `speech`. */
      utterance?: HeardUtterance;
    };

export const minEndSilenceMs = 300;
export const maxEndSilenceMs = 10_000;
/** As much as an engine takes in one piece. */
export const maxUtteranceMs = 20_000;
export const maxInitialTimeoutMs = 3_600_000;
/** Legs of one worker that are listened to at once: up to 1 MB each. */
export const maxListeners = 100;
