import type { TranscriptState } from '../database/transcript-table.ts';
import type { TransitionTable } from '../state-machine.ts';

export type TranscriptEvent = 'begin' | 'made' | 'finish' | 'fail' | 'give up' | 'abandon' | 'again';

/** docs/transcripts.md, "When it is made": `done`, `dead` and `abandoned` are ends; only "again" leads on. */
export const transcriptTable: TransitionTable<TranscriptState, TranscriptEvent> = {
  waiting: {
    begin: 'running',
    abandon: 'abandoned', // erased, or ended without audio
  },
  running: {
    begin: 'running', // the process that was at it ended
    made: 'waiting', // the text is there, its file is not delivered
    finish: 'done',
    fail: 'failing',
    'give up': 'dead',
    abandon: 'abandoned',
  },
  failing: {
    begin: 'running',
    again: 'waiting',
    abandon: 'abandoned',
  },
  done: {
    again: 'waiting',
    abandon: 'abandoned',
  },
  dead: {
    again: 'waiting',
    abandon: 'abandoned',
  },
  abandoned: {},
};
