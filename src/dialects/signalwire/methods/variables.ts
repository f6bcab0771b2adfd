import { isList, isObject, type Json } from '../json.ts';
import { type Path, ScriptError } from '../script-error.ts';
import type { Method } from './method.ts';

const maxNameCharacters = 200;
const reserved = ['call', 'envs', 'params', 'vars'];

function nameAt(name: string, path: Path): string {
  const isRight = name !== '' && name.length <= maxNameCharacters && !reserved.includes(name);
  if (isRight) return name;
  throw new ScriptError(
    'relay_script_method_parameter_invalid_value',
    `"${name.slice(0, 60)}" can't be the name of a variable`,
    path,
  );
}

/** One after the other: what is set first is there for the next. */
export const set: Method = {
  name: 'set',
  check(params, path, checker) {
    if (!isObject(params))
      return checker.report('relay_script_element_wrong_type', 'an object of variables is expected', path);
    for (const name of Object.keys(params)) checkName(name, [...path, name], checker);
  },
  async run(params, path, run) {
    for (const [name, value] of Object.entries(isObject(params) ? params : {})) {
      const at = [...path, name];
      run.variables.set(nameAt(name, at), run.fill(value, at));
    }
    return undefined;
  },
};

function checkName(name: string, path: Path, checker: Parameters<Method['check']>[2]): void {
  try {
    nameAt(name, path);
  } catch (error) {
    const { code, message } = error as ScriptError;
    checker.report(code, message, path);
  }
}

function namesIn(params: Json, path: Path): readonly string[] {
  const names = isList(params) ? params : [params];
  if (names.every((name) => typeof name === 'string')) return names;
  throw new ScriptError(
    'relay_script_element_wrong_type',
    'the name of a variable, or a list of names, is expected',
    path,
  );
}

export const unset: Method = {
  name: 'unset',
  check(params, path, checker) {
    try {
      namesIn(params, path);
    } catch (error) {
      checker.report((error as ScriptError).code, (error as ScriptError).message, path);
    }
  },
  async run(params, path, run) {
    for (const name of namesIn(run.fill(params, path), path)) run.variables.unset(name);
    return undefined;
  },
};
