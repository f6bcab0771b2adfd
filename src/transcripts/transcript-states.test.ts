import type { TranscriptState } from '../database/transcript-table.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { type TranscriptEvent, transcriptTable } from './transcript-states.ts';

throwOnUnlistedTransitions();

testTransitions<TranscriptState, TranscriptEvent>('transcript', transcriptTable, {
  states: ['waiting', 'running', 'failing', 'done', 'dead', 'abandoned'],
  events: ['begin', 'made', 'finish', 'fail', 'give up', 'abandon', 'again'],
  expected: [
    ['waiting', 'begin', 'running', 'transcripts.md: the recording has ended'],
    ['waiting', 'abandon', 'abandoned', 'transcripts.md: erased, or nothing was recorded'],
    ['running', 'begin', 'running', 'transcripts.md: a restart takes it up'],
    ['running', 'made', 'waiting', 'transcripts.md: the text is there, its file is not delivered'],
    ['running', 'finish', 'done', 'transcripts.md: it is where it was to be'],
    ['running', 'fail', 'failing', 'transcripts.md: it is tried again'],
    ['running', 'give up', 'dead', 'transcripts.md: no engine can, or none could for days'],
    ['running', 'abandon', 'abandoned', 'transcripts.md: erased'],
    ['failing', 'begin', 'running', 'transcripts.md: it is tried again'],
    ['failing', 'again', 'waiting', 'transcripts.md: transcribed once more'],
    ['failing', 'abandon', 'abandoned', 'transcripts.md: erased'],
    ['done', 'again', 'waiting', 'transcripts.md: transcribed once more'],
    ['done', 'abandon', 'abandoned', 'transcripts.md: erased'],
    ['dead', 'again', 'waiting', 'transcripts.md: transcribed once more'],
    ['dead', 'abandon', 'abandoned', 'transcripts.md: erased'],
  ],
});
