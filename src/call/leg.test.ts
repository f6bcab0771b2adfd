import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { legTable } from './leg.ts';

throwOnUnlistedTransitions();

/** From sections 9, 13 and 15 of RFC 3261, and section 6 of RFC 3264, which has the port open before the answer. */
testTransitions('leg', legTable, {
  states: ['ringing', 'opening', 'ready', 'answered', 'ended'],
  events: ['open', 'opened', 'answer', 'end'],
  expected: [
    ['ringing', 'open', 'opening', 'RFC 3264 6: "must be ready to receive media" with its answer'],
    ['ringing', 'end', 'ended', 'RFC 3261 9.2: CANCEL; 13.3.1.3: the INVITE is rejected'],
    ['opening', 'opened', 'ready', 'RFC 3264 6: the answer can be written'],
    ['opening', 'end', 'ended', 'RFC 3261 9.2, 13.3.1.3'],
    ['ready', 'answer', 'answered', 'RFC 3261 13.3.1.4: the INVITE is accepted; 13.2.2.4: 2xx responses'],
    ['ready', 'end', 'ended', 'RFC 3261 9.1, 9.2, 13.2.2.3, 13.3.1.3'],
    ['answered', 'end', 'ended', 'RFC 3261 15: terminating a session'],
  ],
});
