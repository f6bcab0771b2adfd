import { randomUUID } from 'node:crypto';
import { defaultLocale } from '../../../call/transcript-wish.ts';
import type { Collect, CollectResult, Prompt } from '../../../script/verb.ts';
import { type JsonObject, jsonObject } from '../json.ts';
import { type Kind, list, noted, number, optional, required, text, url } from '../parameters.ts';
import { playable, voiceParameters, volume } from '../playable.ts';
import { failed, method, perform, type Run } from './method.ts';
import { playables, promptsOf } from './play.ts';

const oneOrMore: Kind<readonly (Prompt | undefined)[]> = {
  read: (value, path) => (Array.isArray(value) ? playables.read(value, path) : [playable.read(value, path)]),
};

const seconds = number({ min: 0, max: 3600 });
const maxHints = 1000;
const defaultSpeechEndSeconds = 1;
const defaultSpeechSeconds = 20;

interface PromptValues {
  max_digits: number | undefined;
  terminators: string | undefined;
  digit_timeout: number | undefined;
  initial_timeout: number | undefined;
  speech_timeout: number | undefined;
  speech_end_timeout: number | undefined;
  speech_language: string | undefined;
  speech_hints: readonly string[] | undefined;
  speech_engine: string | undefined;
}

/**
 * Digits alone by default; any of the parameters of speech asks for speech, and then only one of those of digits asks
 * for both.
 */
function collectOf(values: PromptValues): Omit<Collect, 'verb' | 'prompts'> {
  const { max_digits, terminators, digit_timeout, speech_timeout, speech_end_timeout } = values;
  const { speech_language, speech_hints, speech_engine } = values;
  const isGiven = (...given: unknown[]) => given.some((each) => each !== undefined);
  const wantsSpeech = isGiven(
    ...[speech_timeout, speech_end_timeout, speech_language, speech_hints, speech_engine],
  );
  const wantsDigits = !wantsSpeech || isGiven(max_digits, terminators, digit_timeout);
  return {
    maxDigits: wantsDigits ? (max_digits ?? 1) : 0,
    terminators: (terminators ?? '').toUpperCase(),
    initialTimeoutMs: (values.initial_timeout ?? 5) * 1000,
    digitTimeoutMs: (digit_timeout ?? 5) * 1000,
    ...(wantsSpeech && {
      speech: {
        locale: speech_language ?? defaultLocale,
        endSilenceMs: (speech_end_timeout ?? defaultSpeechEndSeconds) * 1000,
        maxSpeechMs: (speech_timeout || defaultSpeechSeconds) * 1000,
      },
    }),
  };
}

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
    speech_timeout: optional(seconds),
    speech_end_timeout: optional(seconds),
    speech_language: optional(text({ maxLength: 64 })),
    speech_hints: noted(
      optional(list(text({ maxLength: 1000 }), { maxItems: maxHints })),
      'the words are not looked for in particular',
    ),
    speech_engine: noted(
      optional(text({ maxLength: 256 })),
      'speech is recognised by the engine of this server',
    ),
    status_url: optional(url),
  },
  async run(values, run, path) {
    const control_id = randomUUID();
    const collected = await perform(
      run,
      {
        verb: 'collect',
        prompts: promptsOf(values.play, values, run, path),
        volumeDb: values.volume,
        ...collectOf(values),
      },
      path,
    );
    if (collected?.error) failed(run, path, collected.error);
    remember(collected, run);
    if (values.status_url)
      run.host.status(values.status_url, 'calling.call.collect', statusOf(collected, control_id));
    return undefined;
  },
});

/** By the names of variables. */
const results = {
  'no-input': 'no_input',
  'no-match': 'no_match',
  speech: 'match_speech',
  complete: 'match_digits',
  terminator: 'match_digits',
  timeout: 'match_digits',
} as const;

/** As the vendor counts it: 0 to 100. */
function percentOf(confidence: number): number {
  return Math.round(confidence * 1000) / 10;
}

function remember(collected: CollectResult | undefined, { variables }: Run): void {
  for (const name of [
    'prompt_value',
    'prompt_value_raw',
    'prompt_digit_terminator',
    'prompt_speech_confidence',
  ])
    variables.unset(name);
  if (!collected || collected.error) {
    variables.set('prompt_result', 'failed');
    return;
  }
  const { digits, terminator, ended, speech } = collected;
  variables.set('prompt_result', results[ended]);
  if (ended === 'no-input' || ended === 'no-match') return;
  const value = speech?.text ?? digits;
  variables.setAll({ prompt_value: value, prompt_value_raw: value });
  if (terminator !== undefined) variables.set('prompt_digit_terminator', terminator);
  if (speech?.confidence !== undefined)
    variables.set('prompt_speech_confidence', percentOf(speech.confidence));
}

function statusOf(collected: CollectResult | undefined, control_id: string): JsonObject {
  return jsonObject([
    ['control_id', control_id],
    ['result', resultOf(collected)],
  ]);
}

function resultOf(collected: CollectResult | undefined): JsonObject {
  if (!collected || collected.error) return jsonObject([['type', 'error']]);
  const { digits, terminator = '', ended, speech } = collected;
  if (ended === 'no-input' || ended === 'no-match') return jsonObject([['type', results[ended]]]);
  const params = speech
    ? jsonObject([
        ['text', speech.text],
        ...(speech.confidence === undefined ? [] : ([['confidence', percentOf(speech.confidence)]] as const)),
      ])
    : jsonObject([
        ['digits', digits],
        ['terminator', terminator],
      ]);
  return jsonObject([
    ['type', speech ? 'speech' : 'digit'],
    ['params', params],
  ]);
}
