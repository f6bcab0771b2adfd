import { isSaneText } from '../../sane-input.ts';
import { isList, isObject, type Json, type JsonObject, jsonObject } from './json.ts';
import { nearestName } from './nearest-name.ts';
import { type Path, ScriptError, type ScriptErrorCode } from './script-error.ts';
import { hasTemplate } from './substitution.ts';

/** Looks at a document before it runs, and goes on after a mistake. */
export interface Checker {
  report(code: ScriptErrorCode, message: string, path: Path, severity?: 'error' | 'warning'): void;
  /** A list of steps within the section that is being looked at. */
  steps(value: Json, path: Path): void;
  /** A whole expression, without `${}`. */
  condition(source: string, path: Path): void;
  /** A name of a section of this document. */
  section(name: string, path: Path): void;
  /** A label that a `goto` here can reach. */
  label(name: string, path: Path): void;
}

/** What one kind of value is. */
export interface Kind<T> {
  /** @throws ScriptError */
  read(value: Json, path: Path): T;
  /** Before it runs. Unless given: as it is read, where nothing is put in at run time. */
  check?(value: Json, path: Path, checker: Checker): void;
  /** Steps and conditions: nothing is put in, they see to it themselves. */
  raw?: boolean;
}

export interface Parameter<T> extends Kind<T> {
  required: boolean;
  fallback: T;
  /** Why it changes nothing here. */
  ineffective?: string;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type Values<P extends Parameters> = {
  [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never;
};

export function required<T>(kind: Kind<T>): Parameter<T> {
  return { ...kind, required: true, fallback: undefined as T };
}

export function optional<T>(kind: Kind<T>): Parameter<T | undefined> {
  return { ...kind, required: false, fallback: undefined };
}

export function withDefault<T>(kind: Kind<T>, fallback: T): Parameter<T> {
  return { ...kind, required: false, fallback };
}

/** Known, and without effect: it is taken, and a warning says so. */
export function ineffective(why: string): Parameter<undefined> {
  return { read: () => undefined, check: () => {}, required: false, fallback: undefined, ineffective: why };
}

/** Read, for what its being there says; its value is without effect, and a warning says so. */
export function noted<T>(parameter: Parameter<T>, why: string): Parameter<T> {
  return { ...parameter, ineffective: why };
}

/** Known, and what it asks for can't be had: a document that needs it is not run. */
export function unavailable(why: string): Parameter<undefined> {
  return optional<undefined>({
    read: (_value, path) => invalid(why, path),
    check: (_value, path, checker) => checker.report(invalidCode, why, path),
  });
}

const invalidCode = 'relay_script_method_parameter_invalid_value';

export function invalid(message: string, path: Path): never {
  throw new ScriptError(invalidCode, message, path);
}

/** As an error names it: short, and without what stands before the `@` and behind the `?` of a URL. */
export function shown(value: Json): string {
  const text = JSON.stringify(value)
    .replaceAll(/\/\/[^/"]*@/g, '//***@')
    .replaceAll(/(\/\/[^?"\s]*\?)[^"\s]*/g, '$1***');
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** A number or a switch is as good as its text: variables hold what was pressed or answered as text. */
export function text({
  maxLength = 65_536,
  form,
  expected,
}: {
  maxLength?: number;
  form?: RegExp;
  expected?: string;
} = {}): Kind<string> {
  return {
    read(value, path) {
      if (typeof value === 'object') return invalid(`a text is expected, not ${shown(value)}`, path);
      const read = String(value);
      if (read.length > maxLength) return invalid(`longer than ${maxLength} characters`, path);
      if (form && !form.test(read)) return invalid(`${expected} expected, not ${shown(value)}`, path);
      if (!isSaneText(read)) return invalid('NUL or half a surrogate pair stands in the text', path);
      return read;
    },
  };
}

export function number({
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
  whole = false,
  also,
}: {
  min?: number;
  max?: number;
  whole?: boolean;
  also?: number;
} = {}): Kind<number> {
  const range = Number.isFinite(max) ? `from ${min} to ${max}` : `of at least ${min}`;
  const expected = `${whole ? 'a whole number' : 'a number'} ${range}${also === undefined ? '' : `, or ${also}`}`;
  return {
    read(value, path) {
      const isNumeric =
        typeof value === 'string' && /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(value.trim());
      const read = isNumeric ? Number(value) : value;
      const isRight =
        typeof read === 'number' &&
        (!whole || Number.isInteger(read)) &&
        ((read >= min && read <= max) || read === also);
      return isRight ? read : invalid(`${expected} is expected, not ${shown(value)}`, path);
    },
  };
}

export const flag: Kind<boolean> = {
  read(value, path) {
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    return invalid(`true or false is expected, not ${shown(value)}`, path);
  },
};

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    read(value, path) {
      const chosen =
        typeof value === 'object' ? undefined : choices.find((choice) => choice === String(value));
      return chosen ?? invalid(`${choices.join(', ')} expected, not ${shown(value)}`, path);
    },
  };
}

const maxUrlCharacters = 2000;

/** http or https, perhaps with `user:password@`. */
export const url: Kind<string> = {
  read(value, path) {
    const isUrl = typeof value === 'string' && value.length <= maxUrlCharacters && isHttpUrl(value);
    return isUrl && isSaneText(value)
      ? value
      : invalid(`an http or https URL is expected, not ${shown(value)}`, path);
  },
};

export function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value);
}

/** Steps to do; they are looked at before, and run as they stand. */
export const steps: Kind<Json> = {
  raw: true,
  read: (value) => value,
  check: (value, path, checker) => checker.steps(value, path),
};

export const condition: Kind<string> = {
  raw: true,
  read: (value, path) => {
    if (typeof value === 'boolean') return String(value);
    return typeof value === 'string'
      ? value
      : invalid(`an expression is expected, not ${shown(value)}`, path);
  },
  check(value, path, checker) {
    if (typeof value === 'string') checker.condition(value, path);
    else if (typeof value !== 'boolean')
      checker.report(invalidCode, `an expression is expected, not ${shown(value)}`, path);
  },
};

export function object(maxEntries = 1000): Kind<JsonObject> {
  return {
    read(value, path) {
      if (!isObject(value)) return invalid(`an object is expected, not ${shown(value)}`, path);
      return Object.keys(value).length <= maxEntries
        ? value
        : invalid(`more than ${maxEntries} entries`, path);
    },
  };
}

export function list<T>(kind: Kind<T>, { maxItems = 100, minItems = 0 } = {}): Kind<readonly T[]> {
  return {
    read(value, path) {
      if (!isList(value)) return invalid(`a list is expected, not ${shown(value)}`, path);
      if (value.length > maxItems || value.length < minItems)
        return invalid(`${minItems} to ${maxItems} items are expected, not ${value.length}`, path);
      return value.map((each, index) => kind.read(each, [...path, index]));
    },
    check(value, path, checker) {
      if (!isList(value) || value.length > maxItems || value.length < minItems)
        return checkRead(this, value, path, checker);
      for (const [index, each] of value.entries()) checkKind(kind, each, [...path, index], checker);
    },
  };
}

/** An object with parameters of its own. */
export function group<P extends Parameters>(parameters: P): Kind<Values<P>> {
  return {
    read: (value, path) => readParameters(parameters, value, path),
    check: (value, path, checker) => checkParameters(parameters, value, path, checker),
  };
}

/** @throws ScriptError the first thing that is wrong */
export function readParameters<P extends Parameters>(parameters: P, value: Json, path: Path): Values<P> {
  if (!isObject(value)) throw wrongType(value, path);
  for (const name of Object.keys(value))
    if (!Object.hasOwn(parameters, name)) throw unknown(name, Object.keys(parameters), path);
  const read = jsonObject() as Record<string, unknown>;
  for (const [name, parameter] of Object.entries(parameters)) {
    const given = isObject(value) && Object.hasOwn(value, name) ? value[name]! : null;
    if (given === null && parameter.required) throw missing(name, path);
    read[name] = given === null ? parameter.fallback : parameter.read(given, [...path, name]);
  }
  return read as Values<P>;
}

/** Everything that is wrong. */
export function checkParameters(parameters: Parameters, value: Json, path: Path, checker: Checker): void {
  const tell = ({ code, message, path: at = path }: ScriptError): void => checker.report(code, message, at);
  if (!isObject(value)) {
    if (!hasTemplate(value)) tell(wrongType(value, path));
    return;
  }
  for (const name of Object.keys(value))
    if (!Object.hasOwn(parameters, name)) tell(unknown(name, Object.keys(parameters), path));
  for (const [name, parameter] of Object.entries(parameters)) {
    const given = Object.hasOwn(value, name) ? value[name]! : null;
    if (given === null && parameter.required) tell(missing(name, path));
    if (given === null) continue;
    const at = [...path, name];
    if (parameter.ineffective !== undefined)
      checker.report('relay_script_method_parameter_undefined', parameter.ineffective, at, 'warning');
    checkKind(parameter, given, at, checker);
  }
}

function checkKind(kind: Kind<unknown>, value: Json, path: Path, checker: Checker): void {
  if (kind.check) kind.check(value, path, checker);
  else if (!hasTemplate(value)) checkRead(kind, value, path, checker);
}

function checkRead(kind: Kind<unknown>, value: Json, path: Path, checker: Checker): void {
  if (hasTemplate(value)) return;
  attempt(() => kind.read(value, path), path, checker);
}

/** Reports what `action` throws. */
export function attempt(action: () => unknown, path: Path, checker: Checker): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    checker.report(error.code, error.message, error.path ?? path);
  }
}

function wrongType(value: Json, path: Path): ScriptError {
  return new ScriptError(
    'relay_script_element_wrong_type',
    `an object of parameters is expected, not ${shown(value)}`,
    path,
  );
}

function unknown(name: string, names: readonly string[], path: Path): ScriptError {
  const meant = nearestName(name, names);
  return new ScriptError(
    'relay_script_method_parameter_undefined',
    `"${name.slice(0, 60)}" is no parameter of it${meant === undefined ? '' : `; "${meant}" is one`}`,
    [...path, name],
  );
}

function missing(name: string, path: Path): ScriptError {
  return new ScriptError('relay_script_method_parameter_missing', `"${name}" is missing`, path);
}
