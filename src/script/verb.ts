import type { JoinOptions } from '../call/conference.ts';

/** What the application wants instead of what is left; undefined: go on with what is left. */
export type Next = readonly Verb[] | undefined;

/** What a document may ask of a leg, in nobody's dialect. `done` asks the application when the verb has ended. */
export type Verb = Say | Play | Gather | Connect | JoinConference | HangUp;

export type Prompt =
  | { kind: 'text'; text: string; voice?: string; locale?: string }
  | { kind: 'url'; url: string };

export interface Say {
  verb: 'say';
  prompt: Prompt & { kind: 'text' };
  done?(): Promise<Next>;
}

export interface Play {
  verb: 'play';
  prompt: Prompt & { kind: 'url' };
  done?(): Promise<Next>;
}

/** Collects digits (RFC 4733 or INFO) while and after a prompt; the first digit ends the prompt. */
export interface Gather {
  verb: 'gather';
  prompt: Prompt | undefined;
  maxDigits: number;
  /** Ends the collection and is not part of it. */
  terminators: string;
  /** From the prompt's end to the first digit, and from digit to digit. */
  timeoutMs: number;
  done(result: GatherResult): Promise<Next>;
}

export interface GatherResult {
  digits: string;
  ended: 'complete' | 'terminator' | 'timeout';
}

/** Calls somebody and puts both into a conversation of two; ends when either hangs up. */
export interface Connect {
  verb: 'connect';
  target: { kind: 'phone'; number: string } | { kind: 'client'; name: string };
  options: Omit<JoinOptions, 'leaveKey'>;
}

export interface JoinConference {
  verb: 'join-conference';
  name: string;
  options: JoinOptions;
}

export interface HangUp {
  verb: 'hang-up';
}
