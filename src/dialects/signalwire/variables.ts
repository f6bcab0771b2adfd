import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  jsonObject,
  type MutableJsonObject,
  memberOf,
  sizeOf,
  toJson,
} from './json.ts';
import { ScriptError } from './script-error.ts';

/** All variables together, as JSON text. */
export const maxVariablesCharacters = 1_000_000;
export const maxVariables = 1000;

const pathForm = /^[A-Za-z_$][\w$-]*(?:\.[\w$-]+|\[\d+\]|\['[^'\]]*'\]|\["[^"\]]*"\])*$/;
const constants = new Set(['true', 'false', 'null', 'undefined', 'NaN', 'Infinity']);

/** `request_response.items[0].name` as its keys; undefined for what is more than a path. */
export function variablePath(source: string): readonly string[] | undefined {
  if (!pathForm.test(source) || constants.has(source)) return undefined;
  return [...source.matchAll(/\[["']?([^\]"']*)["']?\]|[^.[\]]+/g)].map(([key, inner]) => inner ?? key);
}

/** What is not the script's own; asked for where it is named. */
export interface Scopes {
  call(): JsonObject;
  readonly envs: JsonObject;
}

/**
 * The variables of one script: `vars` global to it, `params` of the section that runs, `call` and `envs` read only.
 * A name without a scope is looked for in `vars`, then `envs`, then `call`.
 */
export class Variables {
  readonly #scopes: Scopes;
  #vars: MutableJsonObject = jsonObject();
  #params: JsonObject = jsonObject();
  #size = 0;

  constructor(scopes: Scopes) {
    this.#scopes = scopes;
  }

  get vars(): JsonObject {
    return this.#vars;
  }

  get envs(): JsonObject {
    return this.#scopes.envs;
  }

  get params(): JsonObject {
    return this.#params;
  }

  set params(params: JsonObject) {
    this.#params = params;
  }

  /** @throws ScriptError where all variables together would be too large */
  set(name: string, value: unknown): void {
    const json = toJson(value);
    const size = this.#size - this.#sizeOf(name) + name.length + sizeOf(json);
    const isNew = !Object.hasOwn(this.#vars, name);
    if (size > maxVariablesCharacters || (isNew && Object.keys(this.#vars).length >= maxVariables))
      throw new ScriptError(
        'relay_script_method_parameter_invalid_value',
        'the variables are too many or too large',
      );
    this.#vars[name] = json;
    this.#size = size;
  }

  setAll(values: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(values)) this.set(name, value);
  }

  /** By its name, or what a path leads to. */
  unset(name: string): void {
    if (Object.hasOwn(this.#vars, name)) {
      this.#size -= this.#sizeOf(name);
      delete this.#vars[name];
      return;
    }
    const path = (variablePath(name) ?? []).slice(name.startsWith('vars.') ? 1 : 0);
    const [first, ...rest] = path;
    if (first === undefined || !Object.hasOwn(this.#vars, first)) return;
    if (rest.length === 0) this.unset(first);
    else this.set(first, without(this.#vars[first]!, rest));
  }

  /** What a name at the beginning of a path or in an expression stands for. */
  readonly named = (name: string): Json | undefined => {
    const { envs } = this.#scopes;
    if (name === 'call') return this.#scopes.call();
    if (name === 'envs') return envs;
    if (name === 'params') return this.#params;
    if (name === 'vars') return this.#vars;
    return memberOf(this.#vars, name) ?? memberOf(envs, name) ?? memberOf(this.#scopes.call(), name);
  };

  /** undefined where nothing is set. */
  resolve(path: readonly string[]): Json | undefined {
    const [first, ...rest] = path;
    let value = first === undefined ? undefined : this.named(first);
    for (const key of rest) value = memberOf(value, key);
    return value;
  }

  #sizeOf(name: string): number {
    return Object.hasOwn(this.#vars, name) ? name.length + sizeOf(this.#vars[name]!) : 0;
  }
}

function without(value: Json, path: readonly string[]): Json {
  const [key, ...rest] = path;
  if (key === undefined || !(isObject(value) || isList(value)) || memberOf(value, key) === undefined)
    return value;
  if (isList(value)) {
    const at = Number(key);
    return rest.length === 0 ? value.toSpliced(at, 1) : value.with(at, without(value[at]!, rest));
  }
  const entries = Object.entries(value).flatMap(([name, each]) => {
    if (name !== key) return [[name, each] as const];
    return rest.length === 0 ? [] : [[name, without(each, rest)] as const];
  });
  return jsonObject(entries);
}
