import { z } from 'zod';
import { defaultLocale } from '../../call/transcript-wish.ts';
import { spokenDigits } from '../../script/spoken-digits.ts';
import type { Collect, CollectResult, Step } from '../../script/verb.ts';
import type { Ask } from './ask.ts';
import { callbackUrl, maxTextCharacters } from './fields.ts';
import { spokenName } from './spoken-name.ts';

const maxDigits = 64;
const defaultDigits = 1;
const defaultTimeoutSeconds = 10;

/** The vendor's commands are English only. Between the digits of a number people make longer pauses than in a name. */
const spokenAs = {
  name: { locale: defaultLocale, endSilenceMs: 900, maxSpeechMs: 10_000 },
  number: { locale: defaultLocale, endSilenceMs: 1300, maxSpeechMs: 20_000 },
} as const;

const gathered = {
  timeout_seconds: z.number().min(0).max(600).nullish(),
  prompt_url: callbackUrl,
  prompt_text: z.string().max(maxTextCharacters).nullish(),
  on_done: callbackUrl,
};
type Gathered = z.output<z.ZodObject<typeof gathered>>;

function promptsOf({ prompt_url, prompt_text }: Gathered): Collect['prompts'] {
  if (prompt_url !== undefined) return [{ kind: 'url', url: prompt_url }];
  return prompt_text ? [{ kind: 'text', text: prompt_text }] : [];
}

/** What was said, as far as it is known; ours. */
function saidOf({ speech }: CollectResult): { text?: string; confidence?: number } {
  if (!speech) return {};
  const { text, confidence } = speech;
  return confidence === undefined ? { text } : { text, confidence: Math.round(confidence * 100) / 100 };
}

/** Why there is no value: the vendor's two words. */
function errorOf({ ended }: CollectResult): 'timeout' | 'invalid' {
  return ended === 'no-input' || ended === 'timeout' ? 'timeout' : 'invalid';
}

function digitsAnswer({ digits, ended }: CollectResult): Record<string, unknown> {
  // The vendor's answer to a time-out is an empty string, whatever was pressed before.
  return { digits: ended === 'timeout' ? '' : digits };
}

function numberAnswer(result: CollectResult): Record<string, unknown> {
  const said = result.speech && spokenDigits(result.speech.text);
  const digits = said ?? (result.ended === 'timeout' ? '' : result.digits);
  const value = /^\d+$/.test(digits) ? digits : null;
  return { digits, value, ...(value === null && { error: errorOf(result) }), ...saidOf(result) };
}

function nameAnswer(result: CollectResult): Record<string, unknown> {
  const value = result.speech ? spokenName(result.speech.text) : '';
  return { value, ...(value === '' && { error: errorOf(result) }), ...saidOf(result) };
}

/** The commands that wait for what a party presses or says; `asking` as for `commandSchemas`. */
export function gatherSchemas(asking: () => Ask) {
  const gather = (
    command: Gathered,
    limits: Pick<Collect, 'maxDigits' | 'terminators' | 'speech'>,
    answer: (result: CollectResult) => Record<string, unknown>,
  ): Step => {
    const ask = asking();
    const timeoutMs = (command.timeout_seconds ?? defaultTimeoutSeconds) * 1000;
    return {
      verb: 'collect',
      ...limits,
      prompts: promptsOf(command),
      initialTimeoutMs: timeoutMs,
      digitTimeoutMs: timeoutMs,
      done: async (result) =>
        command.on_done === undefined ? undefined : ask(command.on_done, answer(result)),
    };
  };

  const getDigits = z
    .object({
      name: z.literal('GetDigits'),
      count: z.int().min(1).max(maxDigits).nullish(),
      terminator: z
        .string()
        .regex(/^[0-9*#A-D]{0,16}$/, 'expected keys of 0-9 * # A-D')
        .nullish(),
      ...gathered,
    })
    .transform((command) =>
      gather(
        command,
        { maxDigits: command.count ?? defaultDigits, terminators: command.terminator ?? '#' },
        digitsAnswer,
      ),
    );

  const getNumber = z
    .object({ name: z.literal('GetNumber'), ...gathered })
    .transform((command) =>
      gather(command, { maxDigits, terminators: '#', speech: spokenAs.number }, numberAnswer),
    );

  const getName = z
    .object({ name: z.literal('GetName'), ...gathered })
    .transform((command) =>
      gather(command, { maxDigits: 0, terminators: '', speech: spokenAs.name }, nameAnswer),
    );

  return [getDigits, getNumber, getName] as const;
}
