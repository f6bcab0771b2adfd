import type { Clock } from '../clock.ts';
import type { RecordingPolicy, RoomMode } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { WaitingOptions } from './conference-start.ts';
import type { Leg } from './leg.ts';
import type { RecordingMaker } from './recordable-room.ts';
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

/** A party that is there. */
export interface ConferenceMember {
  readonly options: JoinOptions;
  readonly muted: boolean;
  readonly held: boolean;
}

/** Whose going ended the conference: it was the last one, or everybody had to leave with it. */
export interface ConferenceEnd {
  connectionId: string;
  reason: 'last-left' | 'end-on-exit';
}

/** A conference as its observers see it. */
export interface ObservedConference {
  readonly conversationId: string;
  readonly name: string;
  readonly memberCount: number;
  readonly members: readonly { connectionId: string; trackId: string }[];
  /** Undefined for a party that is not here. */
  muteOf(legId: string): ConferenceMember | undefined;
}

/** Told at once, in this order. The same object is told once, whoever brought it. */
export interface ConferenceObserver {
  came?(conference: ObservedConference, leg: Leg): void;
  /** Two are there, and one of them does not only wait. */
  begun?(conference: ObservedConference): void;
  /** @param member as it was there */
  went?(conference: ObservedConference, leg: Leg, member: ConferenceMember): void;
  ended?(conference: ObservedConference): void;
  muted?(conference: ObservedConference, leg: Leg, muted: boolean): void;
  held?(conference: ObservedConference, leg: Leg, held: boolean): void;
}

export interface Warning {
  feature: string;
  message: string;
}

/** How a stay in a conference ended: the party left it, the call ended, or the conference was closed by us. */
export type StayEnd = 'left' | 'call-ended' | 'closed';

/** @template Room the conference itself */
export interface RoomOptions<Room> {
  accountId: string;
  /** Empty for a conversation of two, which nobody joins by name. */
  name: string;
  /** How the parties hear each other. */
  mode: RoomMode;
  dialect: string;
  worker: MediaWorker;
  startedUnixMs: number;
  clock: Pick<Clock, 'unixMs'>;
  recordings: RecordingMaker;
  /** One more URL wants the conversation's events. */
  callbackAdded(conference: Room): void;
  /** A participant asks for something that is not done. */
  warn(conference: Room, warning: Warning, callbackUrl: string): void;
  /** The last member left; called once, the conference is never used again. */
  emptied(conference: Room): void;
}
