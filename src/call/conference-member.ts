import type { ConferenceMute } from './conference-mute.ts';
import type { ConferenceMember, JoinOptions, StayEnd } from './conference-options.ts';
import type { Leg } from './leg.ts';

/** A party of a conference, as that keeps it. @template Room the conference itself */
export interface MemberOf<Room> {
  readonly leg: Leg;
  readonly options: JoinOptions;
  /** Where it is now: a transfer may take it to another conversation within one stay. */
  room: Room;
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

export function memberOf({
  options,
  mute: { muted, held },
}: Pick<MemberOf<unknown>, 'options' | 'mute'>): ConferenceMember {
  return { options, muted, held };
}
