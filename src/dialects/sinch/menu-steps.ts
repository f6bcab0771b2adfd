import type { CallreelError } from '../../errors.ts';
import { spokenDigits } from '../../script/spoken-digits.ts';
import type { Collect, CollectResult, Next, Prompt, Step } from '../../script/verb.ts';
import type { MenuResult } from './callback-bodies.ts';
import type { Menu, RunMenu } from './menu.ts';

/** Asks the application what a party's answer to a menu leads to (PIE). */
export type AskMenu = (result: MenuResult) => Promise<Next>;

/** Who is asked, and told. */
export interface MenuAsking {
  askMenu: AskMenu;
  notRecognized?(error: CallreelError): void;
}

/** Whose prompts they play, or keys they collect. */
const menus = new WeakMap<object, string>();

/** The id of the menu that a verb belongs to. */
export function menuOf(verb: object): string | undefined {
  return menus.get(verb);
}

/**
 * A menu as neutral verbs: its keys lead to other menus, what is wrong or missing to its repeats, and all else to the
 * application. A party that hangs up meanwhile ends the verb with CALL_ENDED; `menuOf` says in which menu.
 */
export function menuSteps({ menus: all, first, barge, voiceLocale }: RunMenu, asking: MenuAsking): Step[] {
  const { askMenu: ask, notRecognized } = asking;
  const visit = (id: string): Step[] => {
    const menu = all.get(id);
    return menu ? play(menu, menu.mainPrompts, menu.repeats) : [];
  };
  const play = (menu: Menu, prompts: readonly Prompt[], repeats: number): Step[] => {
    const collect = {
      ...collectOf(menu, barge ? prompts : [], voiceLocale),
      done: (result: CollectResult) => next(menu, result, repeats),
    };
    const steps: Step[] = barge || prompts.length === 0 ? [collect] : [{ verb: 'play', prompts }, collect];
    for (const step of steps) menus.set(step, menu.id);
    return steps;
  };
  const next = async (menu: Menu, result: CollectResult, repeats: number): Promise<Next> => {
    const menuId = menu.id;
    if (result.error) notRecognized?.(result.error);
    const inputMethod = result.speech ? 'voice' : 'dtmf';
    const input = inputOf(menu, result);
    const target = menu.options.get(input);
    if (target?.kind === 'menu') return visit(target.id);
    if (target) return await ask({ menuId, type: 'return', value: target.value, inputMethod });
    if (isSequence(menu, input, inputMethod))
      return await ask({ menuId, type: 'sequence', value: input, inputMethod });
    if (repeats > 0) return play(menu, menu.repeatPrompts, repeats - 1);
    return await ask({ menuId, ...unanswered(result, input) });
  };
  return visit(first);
}

/** What is told where nothing that was expected came, however often it was asked for. */
function unanswered({ ended, error, speech }: CollectResult, input: string): Omit<MenuResult, 'menuId'> {
  if (error) return { type: 'error' };
  if (ended === 'no-match') return { type: 'invalidinput', value: '', inputMethod: 'voice' };
  if (input === '' && ended !== 'terminator') return { type: 'timeout' };
  return { type: 'invalidinput', value: input, inputMethod: speech ? 'voice' : 'dtmf' };
}

/** Where keys are offered, a sequence is one of digits; where none are, anything that is said is an answer. */
function isSequence(menu: Menu, input: string, inputMethod: 'dtmf' | 'voice'): boolean {
  if (input === '') return false;
  if (menu.options.size === 0) return true;
  return digitsOf(menu) > 1 && (inputMethod === 'dtmf' || /^[0-9]+$/.test(input));
}

const spokenKeys = new Map([
  ['star', '*'],
  ['asterisk', '*'],
  ['pound', '#'],
  ['hash', '#'],
]);

/** What was said stands for the keys that it names; else it is as it was recognised. */
function inputOf({ options }: Menu, { digits, speech }: CollectResult): string {
  if (!speech) return digits;
  const words = speech.text
    .toLowerCase()
    .replace(/[^a-z0-9 ]+/g, ' ')
    .trim();
  // "Press two", to whom keys are offered.
  const named = options.size > 0 ? words.replace(/^(?:press|option|number) /, '') : words;
  return spokenKeys.get(named) ?? spokenDigits(named) ?? speech.text;
}

/** So much silence ends what is said, unless the menu has less. */
const endSilenceMs = 1000;

function collectOf(menu: Menu, prompts: readonly Prompt[], voiceLocale: string | undefined): Collect {
  const maxDigits = digitsOf(menu);
  return {
    verb: 'collect',
    prompts,
    maxDigits,
    // Ends a sequence that may be shorter; not where it is a key of the menu, or the only one.
    terminators: maxDigits > 1 && !menu.options.has('#') ? '#' : '',
    initialTimeoutMs: menu.timeoutMs,
    digitTimeoutMs: menu.timeoutMs,
    ...(voiceLocale !== undefined && {
      speech: {
        locale: voiceLocale,
        endSilenceMs: Math.min(endSilenceMs, menu.timeoutMs),
        maxSpeechMs: menu.maxSpeechMs,
      },
    }),
  };
}

function digitsOf({ maxDigits = 1 }: Menu): number {
  return maxDigits;
}
