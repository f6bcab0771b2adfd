import type { Prompt } from '../../script/verb.ts';
import type { Fields } from './fields.ts';
import { promptsIn } from './prompt-field.ts';

/** The call waits, with a prompt over and over, until it is told something else. */
export interface Park {
  name: 'park';
  introPrompts: readonly Prompt[];
  holdPrompts: readonly Prompt[];
  /** What plays then is played to its end, and the call hung up. */
  maxDurationMs: number;
}

const maxParkSeconds = 600;

export function readPark(fields: Fields): Park {
  const locale = fields.text('locale', { max: 64 });
  return {
    name: 'park',
    introPrompts: promptsIn(fields, 'introPrompt', locale),
    holdPrompts: promptsIn(fields, 'holdPrompt', locale),
    maxDurationMs: (fields.number('maxDuration', { min: 1, max: maxParkSeconds }) ?? maxParkSeconds) * 1000,
  };
}
