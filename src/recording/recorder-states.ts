import type { EndReason } from '../spool/records.ts';
import type { TransitionTable } from '../state-machine.ts';

/**
 * `waiting`: on record, and nothing is recorded yet: the beep sounds, or consent is not given. The last three are the
 * ends, as SWML names them (`finished`, `no_input`, `error`).
 */
export type RecorderState = 'new' | 'waiting' | 'recording' | 'paused' | 'finished' | 'no_input' | 'error';

export type RecorderEvent = 'start' | 'wait' | 'begin' | 'pause' | 'resume' | RecorderEndEvent;
/** Why it is to end; `no_media` is found out afterwards. */
export type RecorderEndEvent = Exclude<EndReason, 'no_media'>;

/** Those behind which `no_media` may stand: they say nothing of the recording itself. Any other is the reason. */
export const outwardEnds: ReadonlySet<EndReason> = new Set(['stopped', 'conversation_ended', 'call_ended']);

/** What ends a recording that waits for its beginning, or is paused: words and keys do not. */
const ends = {
  stopped: 'finished',
  conversation_ended: 'finished',
  call_ended: 'finished',
  consent_withdrawn: 'finished',
  interrupted: 'error',
  error: 'error',
} as const;

/** What has ended stays as it is, whatever comes at the same moment. */
const over = (state: 'finished' | 'no_input' | 'error') => ({
  stopped: state,
  conversation_ended: state,
  call_ended: state,
  consent_withdrawn: state,
  interrupted: state,
  error: state,
});

export const recorderTable: TransitionTable<RecorderState, RecorderEvent> = {
  new: { start: 'recording', wait: 'waiting' },
  waiting: { ...ends, begin: 'recording', pause: 'waiting', resume: 'waiting' },
  recording: {
    ...ends,
    pause: 'paused',
    resume: 'recording',
    terminator: 'finished',
    max_length: 'finished',
    end_silence: 'finished',
    no_input: 'no_input',
  },
  paused: { ...ends, pause: 'paused', resume: 'recording' },
  finished: over('finished'),
  no_input: over('no_input'),
  error: over('error'),
};

/** What is known of an end besides its reason. */
export interface RecorderEnd {
  reason: RecorderEndEvent;
  /** Where it ends exactly, if that is not now: nothing behind it is in the files. */
  atSample?: number;
  digit?: string;
}
