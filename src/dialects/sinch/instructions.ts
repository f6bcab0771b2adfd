import type { Prompt } from '../../script/verb.ts';
import type { Fields } from './fields.ts';
import { checkedPrompts, maxSpokenCharacters } from './prompt-field.ts';
import { spoken } from './prompt-text.ts';
import {
  type RecordingRules,
  readRecordingOptions,
  type SinchRecordingOptions,
} from './recording-options.ts';

/** What is done before the action, in the order of the document. */
export type Instruction =
  | { name: 'say' | 'playFiles'; prompts: readonly Prompt[] }
  | { name: 'sendDtmf'; digits: string }
  | { name: 'setCookie'; key: string; value: string }
  | { name: 'answer' }
  | { name: 'startRecording'; options: SinchRecordingOptions }
  | { name: 'stopRecording' };

export type InstructionName = Instruction['name'];

/** Which kind of answer a document is; `manage`: the body of a request to a call. */
export type SvamlUse = 'ice' | 'ace' | 'pie' | 'manage';

const maxFiles = 100;
const maxDigits = 200;
const cookieLimits = { min: 1, max: 1024, expected: 'a text' };

/** The keys of a call; `w` waits for 500 ms. */
export const dtmfLimits = {
  min: 1,
  max: maxDigits,
  form: /^[0-9*#wW]+$/,
  expected: 'keys of 0-9 # * and w',
};

interface Reading extends RecordingRules {
  use?: SvamlUse | undefined;
}

/** Instructions and actions name them differently, and clients mix the two; none at all is as good as empty ones. */
export function givenRecordingOptions(
  fields: Fields,
  rules: RecordingRules,
): SinchRecordingOptions | undefined {
  const name = ['options', 'recordingOptions'].find((each) => fields.has(each));
  const given = name === undefined ? fields.nothing('recordingOptions') : fields.object(name);
  return given && readRecordingOptions(given, rules);
}

type Reader = (fields: Fields, reading: Reading) => Instruction | undefined;

const readers: Readonly<Record<InstructionName, Reader>> = {
  say(fields) {
    const text = fields.required('text', { max: maxSpokenCharacters });
    const locale = fields.text('locale', { max: 64 });
    return text === undefined ? undefined : { name: 'say', prompts: spoken(text, locale) };
  },
  playFiles(fields) {
    const locale = fields.text('locale', { max: 64 });
    const ids = fields.list('ids', maxFiles);
    if (!ids) {
      if (!fields.has('ids')) fields.missing('ids');
      return undefined;
    }
    const prompts = ids.flatMap((id) => {
      if (typeof id === 'string') return checkedPrompts(fields, 'ids', id, locale);
      fields.refuse('ids', 'texts are expected in it');
      return [];
    });
    return { name: 'playFiles', prompts };
  },
  sendDtmf(fields) {
    const digits = fields.required('value', dtmfLimits);
    return digits === undefined ? undefined : { name: 'sendDtmf', digits: digits.replaceAll('W', 'w') };
  },
  setCookie(fields) {
    const key = fields.required('key', cookieLimits);
    const value = fields.required('value', { max: 1024 });
    return key === undefined || value === undefined ? undefined : { name: 'setCookie', key, value };
  },
  answer(fields, { use = 'ice' }) {
    if (use !== 'ice') fields.warn('name', 'the call is answered already');
    return { name: 'answer' };
  },
  startRecording(fields, reading) {
    const options = givenRecordingOptions(fields, reading);
    return options && { name: 'startRecording', options };
  },
  stopRecording: () => ({ name: 'stopRecording' }),
};

const byLowerCase = new Map(
  (Object.keys(readers) as InstructionName[]).map((name) => [name.toLowerCase(), name]),
);

/** Names in any case. @returns undefined where something of it is wrong, which is told then */
export function readInstruction(fields: Fields, reading: Reading): Instruction | undefined {
  const given = fields.required('name', { max: 100 });
  if (given === undefined) return undefined;
  const name = byLowerCase.get(given.toLowerCase());
  if (!name) {
    fields.problems.error(
      40003,
      `"${given.slice(0, 60)}" is no instruction: ${Object.keys(readers).join(', ')}`,
      fields.at('name'),
    );
    return undefined;
  }
  const instruction = readers[name](fields, reading);
  fields.end();
  return instruction;
}
