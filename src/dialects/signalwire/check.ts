import { parseExpression } from './expression/parser.ts';
import { ExpressionSyntaxError } from './expression/tokens.ts';
import { isList, isObject, type Json, type JsonObject, jsonObject, memberOf } from './json.ts';
import { destinationOf } from './methods/control.ts';
import type { Checker } from './parameters.ts';
import {
  formatPath,
  type Path,
  type Place,
  type Problem,
  ScriptError,
  type ScriptErrorCode,
  shortened,
  todoOf,
} from './script-error.ts';
import { stepOf } from './step.ts';
import { checkTemplates } from './substitution.ts';

const swmlVersion = '1.0.0';
const maxProblems = 100;

/** Looks at a whole document, section by section and step by step, and finds everything. */
export class DocumentChecker implements Checker {
  readonly problems: Problem[] = [];
  readonly #placeOf: (path: Path) => Place;
  #sections: JsonObject = jsonObject();
  /** Of the lists of steps around the one that is looked at, innermost last. */
  readonly #labels: ReadonlySet<string>[] = [];

  constructor(placeOf: (path: Path) => Place) {
    this.#placeOf = placeOf;
  }

  /** @returns its sections, as far as they are there */
  document(value: Json): JsonObject {
    if (!isObject(value)) {
      this.report(
        'relay_script_element_wrong_type',
        'an object with "version" and "sections" is expected',
        [],
      );
      return this.#sections;
    }
    for (const name of Object.keys(value))
      if (name !== 'version' && name !== 'sections')
        this.report('relay_script_element_undefined', `"${name.slice(0, 60)}" does not belong at the top`, [
          name,
        ]);
    if (Object.hasOwn(value, 'version') && value.version !== swmlVersion)
      this.report('relay_script_version_invalid', `version ${swmlVersion} is expected`, ['version']);
    this.#checkSections(value.sections ?? null);
    this.#checkTemplates(value.sections ?? null, ['sections']);
    return this.#sections;
  }

  report(code: ScriptErrorCode, message: string, path: Path, severity: 'error' | 'warning' = 'error'): void {
    if (this.problems.length >= maxProblems && severity === 'warning') return;
    if (this.problems.length >= 2 * maxProblems) return;
    const { line, column } = this.#placeOf(path);
    this.problems.push({
      severity,
      code,
      message: shortened(message),
      todo: todoOf[code],
      path: formatPath(path),
      line,
      column,
    });
  }

  steps(value: Json, path: Path): void {
    if (!isList(value)) {
      this.report('relay_script_element_wrong_type', 'a list of steps is expected', path);
      return;
    }
    this.#labels.push(new Set(value.flatMap((step) => labelOf(step) ?? [])));
    for (const [index, step] of value.entries()) this.#step(step, [...path, index]);
    this.#labels.pop();
  }

  condition(source: string, path: Path): void {
    this.#expression(() => parseExpression(source), path);
  }

  section(name: string, path: Path): void {
    if (!Object.hasOwn(this.#sections, name))
      this.report(
        'relay_script_section_parameter_undefined',
        `there is no section "${name.slice(0, 60)}"`,
        path,
      );
  }

  label(name: string, path: Path): void {
    if (this.#labels.some((labels) => labels.has(name))) return;
    const message = `there is no label "${name.slice(0, 60)}" in this section`;
    this.report('relay_script_method_parameter_invalid_value', message, path);
  }

  #checkSections(sections: Json): void {
    const path = ['sections'];
    if (!isObject(sections)) {
      if (sections === null) this.report('relay_script_sections_missing', 'there are no sections', []);
      else this.report('relay_script_element_wrong_type', 'an object of sections is expected', path);
      return;
    }
    if (!Object.hasOwn(sections, 'main'))
      this.report('relay_script_main_section_missing', 'there is no section "main"', path);
    this.#sections = sections;
    for (const [name, steps] of Object.entries(sections)) {
      const at = [...path, name];
      if (steps === null || (isList(steps) && steps.length === 0))
        this.report('relay_script_section_code_missing', `the section "${name.slice(0, 60)}" is empty`, at);
      else this.steps(steps, at);
    }
  }

  #step(value: Json, path: Path): void {
    try {
      const { method, params, path: at } = stepOf(value, path);
      method.check(params, at, this);
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      this.report(error.code, error.message, error.path ?? path);
    }
  }

  /** Expressions can stand in every text; a condition is one, and a document in a text has its own. */
  #checkTemplates(value: Json, path: Path): void {
    if (typeof value === 'string') {
      const isOwn = path.at(-1) === 'when' || (path.at(-1) === 'dest' && destinationOf(value) === 'document');
      if (!isOwn) this.#expression(() => checkTemplates(value), path);
    } else if (isList(value))
      for (const [index, each] of value.entries()) this.#checkTemplates(each, [...path, index]);
    else if (isObject(value))
      for (const [name, each] of Object.entries(value)) this.#checkTemplates(each, [...path, name]);
  }

  #expression(parse: () => unknown, path: Path): void {
    try {
      parse();
    } catch (error) {
      if (!(error instanceof ExpressionSyntaxError)) throw error;
      this.report(
        'relay_script_js_eval_error',
        `${error.message} (character ${error.at + 1} of the expression)`,
        path,
      );
    }
  }
}

export function labelOf(step: Json): string | undefined {
  const label = memberOf(step, 'label');
  return typeof label === 'string' ? label : undefined;
}
