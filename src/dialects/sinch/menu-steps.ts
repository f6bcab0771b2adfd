import type { Collect, CollectResult, Next, Prompt, Step } from '../../script/verb.ts';
import type { MenuResult } from './callback-bodies.ts';
import type { Menu, RunMenu } from './menu.ts';

/** Asks the application what a party's answer to a menu leads to (PIE). */
export type AskMenu = (result: MenuResult) => Promise<Next>;

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
export function menuSteps({ menus: all, first, barge }: RunMenu, ask: AskMenu): Step[] {
  const visit = (id: string): Step[] => {
    const menu = all.get(id);
    return menu ? play(menu, menu.mainPrompts, menu.repeats) : [];
  };
  const play = (menu: Menu, prompts: readonly Prompt[], repeats: number): Step[] => {
    const collect = {
      ...collectOf(menu, barge ? prompts : []),
      done: (result: CollectResult) => next(menu, result, repeats),
    };
    const steps: Step[] = barge || prompts.length === 0 ? [collect] : [{ verb: 'play', prompts }, collect];
    for (const step of steps) menus.set(step, menu.id);
    return steps;
  };
  const next = async (menu: Menu, { digits, ended }: CollectResult, repeats: number): Promise<Next> => {
    const menuId = menu.id;
    const target = menu.options.get(digits);
    if (target?.kind === 'menu') return visit(target.id);
    if (target) return await ask({ menuId, type: 'return', value: target.value, inputMethod: 'dtmf' });
    const isSequence = menu.options.size === 0 || digitsOf(menu) > 1;
    if (digits !== '' && isSequence)
      return await ask({ menuId, type: 'sequence', value: digits, inputMethod: 'dtmf' });
    if (repeats > 0) return play(menu, menu.repeatPrompts, repeats - 1);
    if (digits === '' && ended !== 'terminator') return await ask({ menuId, type: 'timeout' });
    return await ask({ menuId, type: 'invalidinput', value: digits, inputMethod: 'dtmf' });
  };
  return visit(first);
}

function collectOf(menu: Menu, prompts: readonly Prompt[]): Collect {
  const maxDigits = digitsOf(menu);
  return {
    verb: 'collect',
    prompts,
    maxDigits,
    // Ends a sequence that may be shorter; not where it is a key of the menu, or the only one.
    terminators: maxDigits > 1 && !menu.options.has('#') ? '#' : '',
    initialTimeoutMs: menu.timeoutMs,
    digitTimeoutMs: menu.timeoutMs,
  };
}

function digitsOf({ maxDigits = 1 }: Menu): number {
  return maxDigits;
}
