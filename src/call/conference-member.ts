import type { Conference } from './conference.ts';
import type { ConferenceMute } from './conference-mute.ts';
import type { ConferenceMember, JoinOptions, StayEnd } from './conference-options.ts';
import type { Leg } from './leg.ts';

/** A party of a conference, as that keeps it. */
export interface Member {
  readonly leg: Leg;
  readonly options: JoinOptions;
  /** Where it is now: a transfer may take it to another conversation within one stay. */
  room: Conference;
  trackId: string;
  /** The worker has it there, so that it is heard, and recorded where that is wanted; or it waits for the beginning. */
  isPresent: boolean;
  /** In no room yet: the conference has not begun. */
  waiting: boolean;
  /** This stay here. */
  sinceUnixMs: number;
  mute: ConferenceMute;
  end(outcome: StayEnd): void;
}

export function memberOf({ options, mute: { muted, held } }: Member): ConferenceMember {
  return { options, muted, held };
}
