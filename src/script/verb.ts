import type { JoinOptions } from '../call/conference.ts';

/** What a document may ask of a leg, in nobody's dialect. */
export type Verb = JoinConference | HangUp;

export interface JoinConference {
  verb: 'join-conference';
  name: string;
  options: JoinOptions;
}

export interface HangUp {
  verb: 'hang-up';
}
