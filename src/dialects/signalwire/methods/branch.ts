import { isList, isObject, type Json, memberOf } from '../json.ts';
import {
  attempt,
  type Checker,
  checkParameters,
  condition,
  type Kind,
  object,
  optional,
  readParameters,
  required,
  steps,
} from '../parameters.ts';
import { type Path, ScriptError } from '../script-error.ts';
import { variablePath } from '../variables.ts';
import type { Flow, Run } from './method.ts';

const whenThen = { when: required(condition), then: required(steps), else: optional(steps) };
const otherwise = { else: required(steps) };

/** A list of `when`-`then` and at most one `else`. */
export const conditions: Kind<readonly Json[]> = {
  raw: true,
  read(value, path) {
    if (isList(value)) return value;
    throw new ScriptError('relay_script_element_wrong_type', 'a list of conditions is expected', path);
  },
  check(value, path, checker) {
    if (!isList(value)) return attempt(() => this.read(value, path), path, checker);
    for (const [index, each] of value.entries())
      checkParameters(isElse(each) ? otherwise : whenThen, each, [...path, index], checker);
  },
};

function isElse(value: Json): boolean {
  return isObject(value) && !Object.hasOwn(value, 'when') && Object.hasOwn(value, 'else');
}

/** The first condition that is met; an `else` stands for all that are not. */
export async function runConditions(value: Json, path: Path, run: Run): Promise<Flow> {
  const all = conditions.read(value, path);
  let otherwiseAt: Path | undefined;
  let otherwiseSteps: Json = [];
  for (const [index, each] of all.entries()) {
    const at = [...path, index];
    if (isElse(each)) {
      otherwiseAt ??= [...at, 'else'];
      otherwiseSteps = memberOf(each, 'else') ?? [];
      continue;
    }
    const { when, then, else: own } = readParameters(whenThen, each, at);
    if (run.isMet(when, [...at, 'when'])) return await run.steps(then, [...at, 'then']);
    if (own !== undefined) return await run.steps(own, [...at, 'else']);
  }
  return otherwiseAt && (await run.steps(otherwiseSteps, otherwiseAt));
}

/** Its name, with or without `${}` around it. */
const variable: Kind<string> = {
  raw: true,
  read(value, path) {
    const name =
      typeof value === 'string'
        ? value
            .trim()
            .replace(/^[$%]\{(.*)\}$/s, '$1')
            .trim()
        : '';
    if (variablePath(name)) return name;
    const message = `the name of a variable is expected, not ${JSON.stringify(value).slice(0, 60)}`;
    throw new ScriptError('relay_script_method_parameter_invalid_value', message, path);
  },
  check(value, path, checker) {
    attempt(() => this.read(value, path), path, checker);
  },
};

const cases: Kind<Json> = {
  raw: true,
  read: (value) => value,
  check(value, path, checker) {
    if (!isObject(value)) return attempt(() => object().read(value, path), path, checker);
    for (const [name, each] of Object.entries(value)) checker.steps(each, [...path, name]);
  },
};

export const switchParameters = {
  variable: required(variable),
  case: required(cases),
  default: optional(steps),
};
const resultParameters = { ...switchParameters, variable: optional(variable) };

/** Runs the case that is the variable's value, as text. */
export async function runSwitch(value: Json, path: Path, run: Run): Promise<Flow> {
  const {
    variable: name = 'return_value',
    case: all,
    default: other,
  } = readParameters(resultParameters, value, path);
  const found = run.variables.resolve(variablePath(name) ?? []);
  const text =
    typeof found === 'object' ? (found === null ? '' : JSON.stringify(found)) : String(found ?? '');
  const chosen = memberOf(all, text);
  if (chosen !== undefined) return await run.steps(chosen, [...path, 'case', text]);
  if (other !== undefined) return await run.steps(other, [...path, 'default']);
  // Not what it is: it may have been pressed by the caller.
  const message = `there is no case for the value of ${name}, and no default`;
  run.warn('relay_script_method_no_matching_condition', message, path);
  return undefined;
}

/** `result`: a switch on `return_value`, or a list of conditions. */
export const branch: Kind<Json> = {
  raw: true,
  read: (value) => value,
  check(value, path, checker: Checker) {
    if (isList(value)) conditions.check?.(value, path, checker);
    else checkParameters(resultParameters, value, path, checker);
  },
};

export async function runBranch(value: Json | undefined, path: Path, run: Run): Promise<Flow> {
  if (value === undefined) return undefined;
  return isList(value) ? await runConditions(value, path, run) : await runSwitch(value, path, run);
}
