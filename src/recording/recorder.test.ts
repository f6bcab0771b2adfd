import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { recorderTable } from './recorder.ts';

throwOnUnlistedTransitions();

/** From docs/design.md, ideas 3 and 4, and docs/spool.md, "Who gets what". */
testTransitions('recorder', recorderTable, {
  states: ['new', 'recording', 'paused', 'ended'],
  events: ['start', 'pause', 'resume', 'stop', 'conversation_ended'],
  expected: [
    ['new', 'start', 'recording', 'idea 4: "on record before its first packet"'],
    ['recording', 'pause', 'paused', 'Who gets what: recordings "that run and are not paused"'],
    ['recording', 'resume', 'recording', 'Who gets what: it runs and is not paused'],
    ['recording', 'stop', 'ended', 'idea 4: "ends in exactly one terminal state"'],
    ['recording', 'conversation_ended', 'ended', 'idea 3: it "belongs to the conversation"'],
    ['paused', 'pause', 'paused', 'Who gets what: it is paused'],
    ['paused', 'resume', 'recording', 'Who gets what: it is wanted again'],
    ['paused', 'stop', 'ended', 'idea 4'],
    ['paused', 'conversation_ended', 'ended', 'idea 3'],
    ['ended', 'stop', 'ended', 'idea 4: "exactly one terminal state"'],
    ['ended', 'conversation_ended', 'ended', 'idea 4: "exactly one terminal state"'],
  ],
});
