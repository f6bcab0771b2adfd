import type { CallreelError } from '../../../errors.ts';
import type { Prompt, Verb, VerbResults } from '../../../script/verb.ts';
import type { SwmlDocument } from '../document.ts';
import type { SwmlHost } from '../host.ts';
import { isObject, type Json, type JsonObject, jsonObject, memberOf } from '../json.ts';
import {
  attempt,
  type Checker,
  checkParameters,
  type Parameters,
  readParameters,
  type Values,
} from '../parameters.ts';
import { type Path, ScriptError, type ScriptErrorCode } from '../script-error.ts';
import { hasTemplate } from '../substitution.ts';
import type { Variables } from '../variables.ts';

/** What comes after a step: undefined for the next one. */
export type Flow =
  | undefined
  | { kind: 'jump'; label: string; path: Path }
  /** `value` is undefined where nothing is returned. */
  | { kind: 'return'; value: Json | undefined }
  | { kind: 'transfer'; target: Target }
  | { kind: 'hang-up' };

/** Where a script goes on. */
export interface Target {
  document: SwmlDocument;
  section: string;
  params: JsonObject;
}

/** A script that runs, as its methods see it. */
export interface Run {
  readonly host: SwmlHost;
  readonly variables: Variables;
  /** On record, and the script goes on. */
  warn(code: ScriptErrorCode, message: string, path: Path): void;
  /** With its variables put in. */
  fill(value: Json, path: Path): Json;
  isMet(condition: string, path: Path): boolean;
  /** Runs steps of this section. */
  steps(steps: Json, path: Path): Promise<Flow>;
  /** Runs a section, a URL or a document as a subroutine. */
  execute(dest: string, params: JsonObject, path: Path): Promise<Flow>;
  /** Goes on there, and does not come back. */
  transfer(dest: string, params: JsonObject, path: Path): Promise<Flow>;
  /**
   * What the document at a URL plays in its main section.
   * @throws ScriptError, CallreelError
   */
  promptsAt(url: string, path: Path): Promise<readonly Prompt[]>;
  /** Whether one more jump to the label is allowed. */
  mayJump(label: string, max: number): boolean;
  /** What began may last for ever: given up when the call ends. */
  untilEnded<T>(promise: Promise<T>): Promise<T>;
  /** The control ids of the recordings that the script started, the last one last. */
  readonly controlIds: string[];
}

export interface Method {
  readonly name: string;
  check(params: Json, path: Path, checker: Checker): void;
  /** @throws ScriptError what ends the script */
  run(params: Json, path: Path, run: Run): Promise<Flow>;
}

export interface ParameterMethod<P extends Parameters> {
  name: string;
  parameters: P;
  /** What a value stands for that is no object: `sleep: 5000`. */
  shorthand?(value: Json): JsonObject | undefined;
  /**
   * Which parameters belong together or exclude each other.
   * @throws ScriptError
   */
  combine?(given: Given, path: Path): void;
  run(values: Values<P>, run: Run, path: Path): Promise<Flow>;
}

/** Whether a parameter is there. */
export type Given = (name: string) => boolean;

/** A method whose parameters have names. */
export function method<P extends Parameters>(definition: ParameterMethod<P>): Method {
  const { name, parameters, shorthand, combine } = definition;
  const raw = new Set(Object.keys(parameters).filter((each) => parameters[each]?.raw));
  const named = (params: Json): Json => {
    if (params === null) return jsonObject();
    return (typeof params === 'object' && !Array.isArray(params) ? undefined : shorthand?.(params)) ?? params;
  };
  const read = (given: Json, filled: Json, path: Path): Values<P> => {
    try {
      return readParameters(parameters, filled, path);
    } catch (error) {
      throw error instanceof ScriptError && hasTemplate(given) ? withoutValue(error) : error;
    }
  };
  return {
    name,
    check(params, path, checker) {
      const given = named(params);
      checkParameters(parameters, given, path, checker);
      if (combine && isObject(given)) attempt(() => combine(givenIn(given), path), path, checker);
    },
    async run(params, path, run) {
      const given = named(params);
      const filled =
        typeof given === 'object' && given !== null && !Array.isArray(given)
          ? jsonObject(
              Object.entries(given).map(([key, each]) => [
                key,
                raw.has(key) ? each : run.fill(each, [...path, key]),
              ]),
            )
          : named(run.fill(given, path));
      const values = read(given, filled, path);
      combine?.(givenIn(filled), path);
      return await definition.run(values, run, path);
    },
  };
}

/** What variables bring is nobody's to read in a log: callers have pressed it, servers have answered it. */
function withoutValue({ code, message, path }: ScriptError): ScriptError {
  return new ScriptError(code, message.replace(/, not .*$/s, '; its variables bring something else'), path);
}

function givenIn(params: Json): Given {
  return (name) => (memberOf(params, name) ?? null) !== null;
}

/**
 * Does a verb; where it can't be done, that is on record and the script goes on with undefined.
 * @throws what ended the call
 */
export async function perform<V extends Verb>(
  run: Run,
  verb: V,
  path: Path,
): Promise<VerbResults[V['verb']] | undefined> {
  try {
    return await run.untilEnded(run.host.perform(verb));
  } catch (error) {
    if (run.host.ended.aborted) throw error;
    failed(run, path, error);
    return undefined;
  }
}

export function failed(run: Run, path: Path, error: unknown): void {
  const { message, where } = error as Partial<CallreelError>;
  run.warn(
    'relay_script_method_execute_failed',
    where === undefined ? (message ?? String(error)) : `${message} (${where})`,
    path,
  );
}
