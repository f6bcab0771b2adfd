import { randomUUID } from 'node:crypto';
import type { CollectResult, Prompt } from '../../../script/verb.ts';
import { jsonObject } from '../json.ts';
import {
  flag,
  ineffective,
  type Kind,
  list,
  number,
  optional,
  required,
  text,
  url,
  withDefault,
} from '../parameters.ts';
import { playable, spoken, type Voice, voiceParameters, volume } from '../playable.ts';
import { type Path, ScriptError } from '../script-error.ts';
import { failed, method, perform, type Run } from './method.ts';

const maxPrompts = 100;
export const playables = list(playable, { maxItems: maxPrompts, minItems: 1 });

export const play = method({
  name: 'play',
  parameters: {
    url: optional(playable),
    urls: optional(playables),
    volume,
    ...voiceParameters,
    auto_answer: withDefault(flag, true),
    status_url: optional(url),
  },
  shorthand: (value) => (typeof value === 'string' ? { url: value } : undefined),
  combine(given, path) {
    if (given('url') && given('urls'))
      throw new ScriptError(
        'relay_script_method_parameter_conflict',
        '"url" and "urls" exclude each other',
        path,
      );
    if (!given('url') && !given('urls'))
      throw new ScriptError('relay_script_method_parameter_missing', '"url" or "urls" is missing', path);
  },
  async run({ url: single, urls, volume: volumeDb, auto_answer, status_url, ...voice }, run, path) {
    const prompts = promptsOf(urls ?? [single], voice, run, path);
    if (prompts.length === 0) return undefined;
    const control_id = randomUUID();
    const status = (state: string): void => {
      if (status_url)
        run.host.status(
          status_url,
          'calling.call.play',
          jsonObject([
            ['control_id', control_id],
            ['state', state],
          ]),
        );
    };
    status('playing');
    const played = await perform(run, { verb: 'play', prompts, volumeDb, early: !auto_answer }, path);
    if (played?.error) failed(run, path, played.error);
    const isDone = played?.outcome === 'finished';
    status(isDone ? 'finished' : 'error');
    run.variables.set('play_result', isDone ? 'success' : 'failed');
    return undefined;
  },
});

/** Nothing to play is on record: a variable that is not set, mostly. */
export function promptsOf(
  wanted: readonly (Prompt | undefined)[],
  voice: Voice,
  run: Run,
  path: Path,
): Prompt[] {
  const prompts = spoken(wanted, voice, run);
  if (prompts.length < wanted.length)
    run.warn('relay_script_method_execute_failed', 'there is nothing to play', path);
  const unknown = prompts.find(
    (prompt) =>
      prompt.kind === 'text' && prompt.voice !== undefined && run.host.hasVoice?.(prompt.voice) === false,
  );
  if (unknown?.kind === 'text')
    run.warn(
      'relay_script_voice_unresolved',
      `the voice "${unknown.voice}" is not there; another one speaks`,
      path,
    );
  return prompts;
}

const oneOrMore: Kind<readonly (Prompt | undefined)[]> = {
  read: (value, path) => (Array.isArray(value) ? playables.read(value, path) : [playable.read(value, path)]),
};

const seconds = number({ min: 0, max: 3600 });
/** One of the former asks for speech, one of the latter for digits, and none of them for digits alone. */
const speechParameters = ['speech_timeout', 'speech_end_timeout', 'speech_language', 'speech_hints'];
const digitParameters = ['max_digits', 'terminators', 'digit_timeout', 'initial_timeout'];
const noSpeech = ineffective('speech is not recognised in this version; digits are');

export const prompt = method({
  name: 'prompt',
  parameters: {
    play: required(oneOrMore),
    volume,
    ...voiceParameters,
    max_digits: optional(number({ min: 1, max: 256, whole: true })),
    terminators: optional(
      text({ maxLength: 16, form: /^[0-9*#A-Da-d]*$/, expected: 'keys (0-9 * # A-D) are' }),
    ),
    digit_timeout: optional(seconds),
    initial_timeout: optional(seconds),
    speech_timeout: noSpeech,
    speech_end_timeout: noSpeech,
    speech_language: noSpeech,
    speech_hints: noSpeech,
    speech_engine: noSpeech,
    status_url: optional(url),
  },
  combine(given, path) {
    if (speechParameters.some(given) && !digitParameters.some(given))
      throw new ScriptError(
        'relay_script_method_parameter_conflict',
        `speech is not recognised in this version: ask for digits too (${digitParameters.join(', ')})`,
        path,
      );
  },
  async run(values, run, path) {
    const control_id = randomUUID();
    const collected = await perform(
      run,
      {
        verb: 'collect',
        prompts: promptsOf(values.play, values, run, path),
        volumeDb: values.volume,
        maxDigits: values.max_digits ?? 1,
        terminators: (values.terminators ?? '').toUpperCase(),
        initialTimeoutMs: (values.initial_timeout ?? 5) * 1000,
        digitTimeoutMs: (values.digit_timeout ?? 5) * 1000,
      },
      path,
    );
    remember(collected, run);
    if (values.status_url)
      run.host.status(values.status_url, 'calling.call.collect', statusOf(collected, control_id));
    return undefined;
  },
});

function remember(collected: CollectResult | undefined, { variables }: Run): void {
  for (const name of [
    'prompt_value',
    'prompt_value_raw',
    'prompt_digit_terminator',
    'prompt_speech_confidence',
  ])
    variables.unset(name);
  if (!collected || collected.ended === 'no-input') {
    variables.set('prompt_result', collected ? 'no_input' : 'failed');
    return;
  }
  const { digits, terminator } = collected;
  variables.setAll({ prompt_result: 'match_digits', prompt_value: digits, prompt_value_raw: digits });
  if (terminator !== undefined) variables.set('prompt_digit_terminator', terminator);
}

function statusOf(collected: CollectResult | undefined, control_id: string) {
  const type = collected ? (collected.ended === 'no-input' ? 'no_input' : 'digit') : 'error';
  const result = jsonObject([['type', type]]);
  if (collected && type === 'digit')
    result.params = jsonObject([
      ['digits', collected.digits],
      ['terminator', collected.terminator ?? ''],
    ]);
  return jsonObject([
    ['control_id', control_id],
    ['result', result],
  ]);
}
