import { defaultLocale } from '../../call/transcript-wish.ts';
import type { Prompt } from '../../script/verb.ts';
import { Fields } from './fields.ts';
import { promptsIn } from './prompt-field.ts';

/** What a key of a menu leads to. */
export type MenuTarget = { kind: 'menu'; id: string } | { kind: 'return'; value: string };

export interface Menu {
  id: string;
  mainPrompts: readonly Prompt[];
  /** Where the party pressed nothing, or nothing that is expected. */
  repeatPrompts: readonly Prompt[];
  repeats: number;
  /** Undefined: one, of the options. */
  maxDigits: number | undefined;
  timeoutMs: number;
  /** Who speaks longer is cut off. */
  maxSpeechMs: number;
  /** By key. */
  options: ReadonlyMap<string, MenuTarget>;
}

export interface RunMenu {
  name: 'runMenu';
  /** A key ends the prompt. */
  barge: boolean;
  /** In which answers may be spoken; undefined: keys only. */
  voiceLocale: string | undefined;
  /** The id of the first. */
  first: string;
  menus: ReadonlyMap<string, Menu>;
}

const maxMenus = 50;
const maxOptions = 20;
const maxRepeats = 100;
const maxDigits = 64;
const maxTimeoutMs = 600_000;
const defaultTimeoutMs = 5000;
const defaultMaxSpeechMs = 15_000;
const mainId = 'main';
const idLimits = { min: 1, max: 64, expected: 'the id of a menu' };

export function readRunMenu(fields: Fields): RunMenu | undefined {
  const barge = fields.flag('barge') ?? true;
  const locale = fields.text('locale', { max: 64 });
  const mainMenu = fields.text('mainMenu', idLimits);
  const voiceLocale = fields.flag('enableVoice') ? inputLocale(locale, fields) : undefined;
  const given = fields.list('menus', maxMenus);
  if (!given) {
    if (!fields.has('menus')) fields.missing('menus');
    return undefined;
  }
  const menus = new Map<string, Menu>();
  for (const [index, each] of given.entries()) {
    const menu = Fields.of(each, [...fields.at('menus'), index], fields.problems);
    if (menu) readMenu(menu, locale, menus);
  }
  checkTargets(menus, given, fields);
  const first = mainMenu ?? mainId;
  if (!menus.has(first)) {
    const field = mainMenu === undefined ? 'menus' : 'mainMenu';
    return fields.refuse(field, `there is no menu with the id "${first}"`);
  }
  return { name: 'runMenu', barge, voiceLocale, first, menus };
}

/** Of a voice of the vendor's only its speaker is known. */
function inputLocale(locale: string | undefined, fields: Fields): string {
  const [, found] = /^([a-z]{2,3}(?:[-_][a-z0-9]{2,4})?)(?:\/.*)?$/i.exec(locale ?? '') ?? [];
  if (found === undefined)
    fields.warn('locale', `it does not say in which language answers are spoken: taken for ${defaultLocale}`);
  return found ?? defaultLocale;
}

function readMenu(fields: Fields, locale: string | undefined, menus: Map<string, Menu>): void {
  const id = fields.required('id', idLimits);
  if (id !== undefined && menus.has(id)) fields.refuse('id', `there is a menu "${id}" already`);
  const mainPrompts = promptsIn(fields, 'mainPrompt', locale);
  const repeatPrompts = promptsIn(fields, 'repeatPrompt', locale);
  const hasRepeatPrompt = repeatPrompts.length > 0;
  const repeats = fields.number('repeats', { min: 0, max: maxRepeats }) ?? (hasRepeatPrompt ? 1 : 0);
  const digits = fields.number('maxDigits', { min: 1, max: maxDigits });
  const timeoutMs = fields.number('timeoutMills', { min: 0, max: maxTimeoutMs }) ?? defaultTimeoutMs;
  const maxSpeechMs = fields.number('maxTimeoutMills', { min: 0, max: maxTimeoutMs }) || defaultMaxSpeechMs;
  const options = readOptions(fields);
  fields.end();
  if (id === undefined || menus.has(id)) return;
  menus.set(id, {
    id,
    mainPrompts,
    repeatPrompts: hasRepeatPrompt ? repeatPrompts : mainPrompts,
    repeats,
    maxDigits: digits,
    timeoutMs,
    maxSpeechMs,
    options,
  });
}

function readOptions(fields: Fields): Map<string, MenuTarget> {
  const options = new Map<string, MenuTarget>();
  for (const [index, each] of (fields.list('options', maxOptions) ?? []).entries()) {
    const option = Fields.of(each, [...fields.at('options'), index], fields.problems);
    if (!option) continue;
    const key = option.required('dtmf', { form: /^[0-9*#]$/, expected: 'one of the keys 0-9 * #' });
    const action = option.required('action', {
      form: /^(?:menu\([^()]+\)|return(?:\([^()]*\))?)$/i,
      max: 300,
      expected: 'menu(id) or return(value)',
    });
    option.end();
    if (key !== undefined && action !== undefined) options.set(key, targetOf(action));
  }
  return options;
}

function targetOf(action: string): MenuTarget {
  const [, kind = '', value = ''] = /^(\w+)(?:\((.*)\))?$/.exec(action) ?? [];
  return kind.toLowerCase() === 'menu' ? { kind: 'menu', id: value.trim() } : { kind: 'return', value };
}

/** A key that leads to no menu is found before somebody presses it. */
function checkTargets(menus: ReadonlyMap<string, Menu>, given: readonly unknown[], fields: Fields): void {
  for (const { id, options } of menus.values())
    for (const target of options.values())
      if (target.kind === 'menu' && !menus.has(target.id)) {
        const index = given.findIndex((each) => (each as { id?: unknown } | null)?.id === id);
        const path = [...fields.at('menus'), Math.max(index, 0), 'options'];
        fields.problems.error(40001, `menu(${target.id}): there is no menu with this id`, path);
      }
}
