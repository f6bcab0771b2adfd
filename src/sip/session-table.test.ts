import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { sessionTable } from './session-table.ts';

throwOnUnlistedTransitions();

/** Copied from sections 12, 13 and 15 of RFC 3261: the RFC draws no figure of an INVITE session. */
testTransitions('session', sessionTable, {
  states: ['calling', 'early', 'accepted', 'established', 'ended'],
  events: ['provisional', 'accept', 'establish', 'end'],
  expected: [
    ['calling', 'provisional', 'early', '12.1: a 101-199 with a To tag makes an early dialog'],
    ['calling', 'accept', 'accepted', '12.1: a 2xx makes a confirmed dialog'],
    ['calling', 'end', 'ended', '13.2.2.3: a final refusal; 9.1: CANCEL; 8.1.3.1: timeout'],
    ['early', 'provisional', 'early', '13.2.2.1: zero, one or multiple provisional responses'],
    ['early', 'accept', 'accepted', '12.1: a 2xx confirms the early dialog'],
    [
      'early',
      'end',
      'ended',
      '12.3: a non-2xx final response terminates early dialogs; 15: BYE of the caller',
    ],
    ['accepted', 'establish', 'established', '13.2.2.4 and 13.3.1.4: the ACK'],
    ['accepted', 'end', 'ended', '13.3.1.4: no ACK within 64*T1; 15.1.1: BYE'],
    ['established', 'end', 'ended', '15: BYE'],
  ],
});
