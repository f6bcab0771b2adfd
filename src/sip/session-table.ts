import type { TransitionTable } from '../state-machine.ts';
import type { SipSession } from './session.ts';

export type SessionState = SipSession['state'];
export type SessionEvent = 'provisional' | 'accept' | 'establish' | 'end';

/** RFC 3261 sections 13 to 15, as call control sees them. */
export const sessionTable: TransitionTable<SessionState, SessionEvent> = {
  calling: { provisional: 'early', accept: 'accepted', end: 'ended' },
  early: { provisional: 'early', accept: 'accepted', end: 'ended' },
  accepted: { establish: 'established', end: 'ended' },
  established: { end: 'ended' },
  ended: {},
};
