import type { RecordingPolicy } from '../media/control.ts';
import type { Conference } from './conference.ts';
import type { WaitingOptions } from './conference-start.ts';
import type { Leg } from './leg.ts';
import type { RecordingWishes } from './recording.ts';

export interface JoinOptions extends WaitingOptions {
  policy: RecordingPolicy;
  /** DTMF digit that leaves the conference while the call goes on. */
  leaveKey: string | undefined;
  /** Receives the conversation's events; several participants may name several. */
  eventCallback: string | undefined;
  /** What the document asks for and this version does not have; told to the callback. */
  warnings?: readonly Warning[];
  /** How the recording is made that a `record` policy starts. */
  recording?: RecordingWishes | undefined;
  /** A short tone to everybody when this party comes or goes. */
  beep?: 'enter' | 'exit' | 'both' | undefined;
  /** Everybody leaves with this party. */
  endOnExit?: boolean | undefined;
  /** No more than so many, this party among them. */
  maxParticipants?: number | undefined;
  /** From its first packet on, as by `Conference.mute`. */
  muted?: boolean | undefined;
  /** Told what happens there from this party's coming on, to the end of the conference. */
  observer?: ConferenceObserver | undefined;
}

/** Told at once, in this order. The same object is told once, whoever brought it. */
export interface ConferenceObserver {
  came?(conference: Conference, leg: Leg): void;
  /** Two are there, and one of them does not only wait. */
  begun?(conference: Conference): void;
  went?(conference: Conference, leg: Leg): void;
  ended?(conference: Conference): void;
  muted?(conference: Conference, leg: Leg, muted: boolean): void;
  held?(conference: Conference, leg: Leg, held: boolean): void;
}

export interface Warning {
  feature: string;
  message: string;
}

/** How a stay in a conference ended: the party left it, the call ended, or the conference was closed by us. */
export type StayEnd = 'left' | 'call-ended' | 'closed';
