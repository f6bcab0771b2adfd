import { maxDocumentCharacters } from '../document-text.ts';
import { isList, isObject, type Json, type JsonObject, jsonObject } from '../json.ts';
import {
  checkParameters,
  condition,
  type Kind,
  number,
  object,
  optional,
  required,
  steps,
  text,
  withDefault,
} from '../parameters.ts';
import { type Path, ScriptError } from '../script-error.ts';
import { hasTemplate } from '../substitution.ts';
import { branch, conditions, runBranch, runConditions, runSwitch, switchParameters } from './branch.ts';
import { type Method, method, type Run } from './method.ts';

export const cond: Method = {
  name: 'cond',
  check: (params, path, checker) => conditions.check?.(params, path, checker),
  run: runConditions,
};

export const switchCase: Method = {
  name: 'switch',
  check: (params, path, checker) => checkParameters(switchParameters, params, path, checker),
  run: runSwitch,
};

const labelName = text({ maxLength: 200 });

export const label: Method = {
  name: 'label',
  check(params, path, checker) {
    if (typeof params !== 'string' || params === '')
      checker.report('relay_script_element_wrong_type', 'the name of the label is expected', path);
  },
  run: async () => undefined,
};

/** Whether the label is there is seen before, unless a variable names it. */
const reachable: Kind<string> = {
  ...labelName,
  check(value, path, checker) {
    if (!hasTemplate(value)) checker.label(String(value), path);
  },
};

export const goto = method({
  name: 'goto',
  parameters: {
    label: required(reachable),
    when: optional(condition),
    max: withDefault(number({ min: 1, max: 100, whole: true }), 100),
  },
  shorthand: (value) => (typeof value === 'object' ? undefined : { label: value }),
  async run({ label: to, when, max }, run, path) {
    if (when !== undefined && !run.isMet(when, [...path, 'when'])) return undefined;
    return run.mayJump(to, max) ? { kind: 'jump', label: to, path: [...path, 'label'] } : undefined;
  },
});

/** What a `dest` is: a URL, a document in a text, or a section. */
export function destinationOf(dest: string): 'url' | 'document' | 'section' {
  if (/^https?:\/\//i.test(dest)) return 'url';
  return /^\s*[{[]/.test(dest) || /^\s*(?:version|sections)\s*:/m.test(dest) ? 'document' : 'section';
}

/** A document in a text keeps its `${}` for its own run; nothing is put into its syntax. */
const dest: Kind<string> = {
  raw: true,
  read(value, path) {
    const read = text({ maxLength: maxDocumentCharacters }).read(value, path).trim();
    if (hasTemplate(value) && destinationOf(read) !== 'document') return read;
    if (read === '') throw new ScriptError('relay_script_method_parameter_missing', '"dest" is empty', path);
    if (destinationOf(read) === 'url' && !URL.canParse(read))
      throw new ScriptError('relay_script_parse_error', 'the URL is malformed', path);
    return read;
  },
  check(value, path, checker) {
    if (hasTemplate(value) && !(typeof value === 'string' && destinationOf(value) === 'document')) return;
    try {
      const read = this.read(value, path);
      if (destinationOf(read) === 'section') checker.section(read, path);
    } catch (error) {
      checker.report((error as ScriptError).code, (error as ScriptError).message, path);
    }
  },
};

/** The vendor's own example writes lists of single entries: `[{a: 1}, {b: 2}]` is `{a: 1, b: 2}`. */
const merged: Kind<JsonObject> = {
  read: (value, path) => object().read(mergedOf(value), path),
};

function mergedOf(value: Json): Json {
  return isList(value) && value.every(isObject)
    ? jsonObject(value.flatMap((each) => Object.entries(each)))
    : value;
}

const withParams = {
  dest: required(dest),
  params: withDefault(merged, jsonObject()),
  meta: optional(merged),
};

function destShorthand(value: Json): JsonObject | undefined {
  if (typeof value === 'string') return { dest: value };
  const one = mergedOf(value);
  return isObject(one) ? one : undefined;
}

/** A subroutine; what it returns is `return_value`. */
export const execute = method({
  name: 'execute',
  parameters: { ...withParams, on_return: optional(steps), result: optional(branch) },
  shorthand: destShorthand,
  async run({ dest: to, params, on_return, result }, run, path) {
    const flow = await run.execute(filledDest(to, path, run), params, [...path, 'dest']);
    if (flow && flow.kind !== 'return') return flow;
    const hasValue = flow?.value !== undefined;
    if (flow?.value !== undefined) run.variables.set('return_value', flow.value);
    const next = on_return === undefined ? undefined : await run.steps(on_return, [...path, 'on_return']);
    if (next || !hasValue) return next;
    return await runBranch(result, [...path, 'result'], run);
  },
});

export const transfer = method({
  name: 'transfer',
  parameters: withParams,
  shorthand: destShorthand,
  run: async ({ dest: to, params }, run, path) =>
    await run.transfer(filledDest(to, path, run), params, [...path, 'dest']),
});

function filledDest(to: string, path: Path, run: Run): string {
  if (destinationOf(to) === 'document' || !hasTemplate(to)) return to;
  return dest.read(run.fill(to, [...path, 'dest']), [...path, 'dest']);
}

/** Of no value: `return: {}`. */
export const returnValue: Method = {
  name: 'return',
  check: () => {},
  async run(params, path, run) {
    const isNothing = params === null || (isObject(params) && Object.keys(params).length === 0);
    return { kind: 'return', value: isNothing ? undefined : run.fill(params, path) };
  },
};
