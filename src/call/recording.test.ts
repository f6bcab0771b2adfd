import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { recordingTable } from './recording.ts';

throwOnUnlistedTransitions();

/** From docs/design.md: ideas 3 and 4, "Threads and processes", "What is decided where". */
testTransitions('recording', recordingTable, {
  states: ['new', 'recording', 'ending', 'ended'],
  events: ['start', 'stop', 'ended'],
  expected: [
    ['new', 'start', 'recording', 'idea 4: "on record before its first packet"'],
    ['new', 'ended', 'ended', 'Threads and processes: "A media worker that dies"'],
    ['recording', 'stop', 'ending', 'What is decided where: the tick thread ends it, at a sample'],
    ['recording', 'ended', 'ended', 'idea 3: it belongs to the conversation, and ends with it'],
    ['ending', 'stop', 'ending', 'idea 4: "exactly one terminal state"'],
    ['ending', 'ended', 'ended', 'idea 4'],
    ['ended', 'stop', 'ended', 'idea 4: "exactly one terminal state"'],
  ],
});
