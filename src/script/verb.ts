import type { JoinOptions, StayEnd } from '../call/conference.ts';
import type { ConnectRequest, ConnectResult } from '../call/connector.ts';
import type { Recording, RecordingWishes } from '../call/recording.ts';
import type { CallreelError } from '../errors.ts';
import type { EndReason } from '../spool/records.ts';

/** What a party is to hear, in nobody's dialect. A length may be infinite. */
export type Prompt =
  | { kind: 'text'; text: string; voice?: string; locale?: string }
  | { kind: 'url'; url: string }
  | { kind: 'silence'; durationMs: number }
  /** A ringing tone. `country`: ISO 3166, lower case; one that is not known rings as in `us`. */
  | { kind: 'ring'; durationMs: number; country: string }
  /** Music of ours, from its beginning: one of three. */
  | { kind: 'tune'; durationMs: number; tune: 1 | 2 | 3 };

/** What a document may ask of a leg, in nobody's dialect. */
export type Verb =
  | Answer
  | Play
  | Collect
  | SendDigits
  | Sleep
  | Record
  | StartRecording
  | StopRecording
  | Connect
  | JoinConference
  | HangUp;

export interface Answer {
  verb: 'answer';
  /** The call is hung up so long afterwards. */
  maxDurationMs?: number | undefined;
}

/** Plays one prompt behind the other, without a gap where they can be had in time. Answers first. */
export interface Play {
  verb: 'play';
  prompts: readonly Prompt[];
  volumeDb?: number | undefined;
  /** Ahead of the answer (183). */
  early?: boolean | undefined;
}

/**
 * Collects digits (RFC 4733 or INFO), or what the party says, while and after the prompts; the first digit and the first
 * word end these. Answers first.
 */
export interface Collect {
  verb: 'collect';
  prompts: readonly Prompt[];
  volumeDb?: number | undefined;
  /** 0: only `speech` counts. */
  maxDigits: number;
  /** Each ends the collection and is not part of it. */
  terminators: string;
  /** From the end of the prompts to the first digit. */
  initialTimeoutMs: number;
  /** From digit to digit. */
  digitTimeoutMs: number;
  /** Without it only digits count. */
  speech?: SpeechWish | undefined;
}

/** One utterance, recognised. It is in memory alone, whatever is recorded of the party. */
export interface SpeechWish {
  /** As the document wrote it: `en-US`. */
  locale: string;
  /** So much silence behind what was said ends it. */
  endSilenceMs: number;
  /** Who speaks on is cut off. */
  maxSpeechMs: number;
}

/** Presses keys. Answers first. */
export interface SendDigits {
  verb: 'send-digits';
  /** `0`-`9`, `*`, `#`, `A`-`D`; `w` waits for half a second, `W` for a second. */
  digits: string;
}

export interface Sleep {
  verb: 'sleep';
  /** Infinite: until the call ends. */
  durationMs: number;
}

/** Records the call and waits until that has ended by itself and is written. Answers first. */
export interface Record {
  verb: 'record';
  wishes: RecordingWishes;
}

/**
 * Records the call from here on, behind what was played before and ahead of what is played next. Answers first. Settles
 * when it records: behind its beep, where it has one. One that waits for consent settles at once.
 */
export interface StartRecording {
  verb: 'start-recording';
  wishes: RecordingWishes;
}

/** Settles when the recording is written: its file is whole. */
export interface StopRecording {
  verb: 'stop-recording';
  /** Without it: the one that was started last of those that run. */
  controlId?: string | undefined;
}

/** Calls somebody and puts both into a conversation of two; ends when either hangs up. */
export interface Connect extends Omit<ConnectRequest, 'ringback'> {
  verb: 'connect';
  /** Heard over and over while it rings, in place of a tone and of what the called side sends. */
  ringback?: readonly Prompt[] | undefined;
}

/** Puts the call into a conference and answers it; ends when it leaves that, or ends. */
export interface JoinConference {
  verb: 'join-conference';
  name: string;
  options: Omit<JoinOptions, 'whileWaiting'> & {
    /** Heard over and over until the conference begins: it needs two, and one who does not only wait. */
    waitPrompts?: readonly Prompt[] | undefined;
  };
}

/** Before the answer `busy` refuses with 486, `decline` with 603. */
export interface HangUp {
  verb: 'hang-up';
  reason?: 'hangup' | 'busy' | 'decline' | undefined;
}

export interface CollectResult {
  digits: string;
  /**
   * `timeout`: after the first digit; `no-input`: there was none, and nobody spoke; `no-match`: somebody spoke, and
   * nothing was understood.
   */
  ended: 'complete' | 'terminator' | 'timeout' | 'no-input' | 'speech' | 'no-match';
  terminator?: string;
  /** Of `speech`. Confidence is 0 to 1, of engines that tell it. */
  speech?: { text: string; confidence?: number | undefined };
  /** Why nothing could be understood, where that is not what was said. */
  error?: CallreelError;
}

export interface VerbResults {
  answer: { outcome: 'answered' };
  /** A prompt that can not be had is left out, and the first error reported. */
  play: { outcome: 'finished' | 'failed'; error?: CallreelError };
  collect: CollectResult;
  'send-digits': { outcome: 'sent' };
  sleep: { outcome: 'over' };
  record: { recording: Recording; reason: EndReason };
  'start-recording': { recording: Recording };
  /** Undefined: none runs, or none of that name; it may just have ended by itself. */
  'stop-recording': { recording: Recording | undefined };
  connect: ConnectResult;
  'join-conference': { end: StayEnd };
  'hang-up': { [none: string]: never };
}

/** What the application wants instead of what is left; undefined: go on with what is left. */
export type Next = readonly Step[] | undefined;

/** A verb of a list; `done` asks the application when it has ended. */
export type Step = {
  [V in Verb as V['verb']]: V & { done?(result: VerbResults[V['verb']]): Promise<Next> };
}[Verb['verb']];
