import type { Leg } from '../../call/leg.ts';
import type { Step } from '../../script/verb.ts';
import type { SinchApplication } from './application.ts';
import type { Destination } from './callback-bodies.ts';
import type { InlineCallback } from './callouts.ts';
import type { Svaml } from './svaml.ts';

/** A call that we placed. */
export interface PlacedCall {
  application: SinchApplication;
  custom?: string | undefined;
  from: string;
  to: Destination;
  /** Whose answers stand here is not asked; what is here is asked or told without `enable*` too. */
  ice?: InlineCallback | undefined;
  ace?: InlineCallback | undefined;
  pie?: InlineCallback | undefined;
  /** URL. */
  dice?: string | undefined;
  enableAce: boolean;
  enableDice: boolean;
  enablePie: boolean;
  /** Pressed to the called party when it answers. */
  dtmf?: string | undefined;
  /** Done when it has answered, behind ACE where that lets it go on. */
  document?: Svaml | undefined;
  /** As `document`, in neutral verbs. */
  steps?: readonly Step[] | undefined;
  maxDurationMs: number;
  /** Settles when no other leg is tried any more; without it the first one is the only one. */
  dialed?: Promise<void> | undefined;
}

export type Whom = 'caller' | 'callee' | 'both' | undefined;

/** A live call of an application. */
export interface SinchSession {
  /** Id of its first leg. */
  readonly callId: string;
  readonly application: SinchApplication;
  /** Its first leg; of a call that was placed the one that answered. */
  readonly leg: Leg;
  readonly calledLeg: Leg | undefined;
  /**
   * Does instructions and an action on it. Settles once they are under way; what only starts and stops recordings,
   * when that is done.
   * @param whom whose call; undefined: the whole call's
   * @throws SinchError 40400 where there is no such party
   */
  manage(svaml: Svaml, whom: Whom): Promise<void>;
  /** A call that we placed was answered, by this leg; what `adopt` does by itself where it was the first one. */
  answered(leg: Leg): Promise<void>;
}
