import type { TransitionTable } from '../state-machine.ts';
import type { SipSession } from './session.ts';

export type SessionState = SipSession['state'];
export type SessionEvent = 'provisional' | 'accept' | 'establish' | 'end';

/** RFC 3261 sections 13 to 15, as call control sees them. */
export const sessionTable: TransitionTable<SessionState, SessionEvent> = {
  calling: {
    provisional: 'early', // 12.1, 13.2.2.1, 13.3.1.1: a 101-199 with a To tag
    accept: 'accepted', // 13.2.2.4, 13.3.1.4: a 2xx
    end: 'ended', // 13.2.2.3, 13.3.1.3: a final refusal; 9.1, 9.2: CANCEL; 8.1.3.1: no answer
  },
  early: {
    provisional: 'early', // 13.2.2.1: as many as there are
    accept: 'accepted', // 12.1, 13.2.2.4
    end: 'ended', // 12.3: a non-2xx final response; 15: BYE of the caller in an early dialog
  },
  accepted: {
    establish: 'established', // 13.2.2.4, 13.3.1.4: the ACK
    end: 'ended', // 13.3.1.4: no ACK within 64*T1; 15.1.1: BYE
  },
  established: {
    end: 'ended', // 15.1: BYE; 12.2.1.2: 408 or 481 to a request inside the dialog
  },
  ended: {},
};
