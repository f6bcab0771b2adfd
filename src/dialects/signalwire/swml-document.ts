import { DocumentChecker } from './check.ts';
import type { SwmlDocument } from './document.ts';
import { readDocumentObject, readDocumentText } from './document-text.ts';
import { isList, type Json, type JsonObject, jsonObject } from './json.ts';
import { formatPath, type Problem, ScriptError, todoOf } from './script-error.ts';

/** `document` is there where no problem is an error. */
export interface LoadedSwml {
  document: SwmlDocument | undefined;
  problems: readonly Problem[];
}

/**
 * Reads a document, as JSON or YAML text or as an object, and looks at all of it. Never throws.
 * @param options.steps also takes a list of steps alone, as `execute` does
 */
export function loadSwml(source: unknown, { steps = false } = {}): LoadedSwml {
  try {
    const { value, placeOf } =
      typeof source === 'string' ? readDocumentText(source) : readDocumentObject(source);
    const whole = steps && isList(value) ? asDocument(value) : value;
    const checker = new DocumentChecker(placeOf);
    const sections = checker.document(whole);
    const problems = checker.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const isRight = problems.every(({ severity }) => severity === 'warning');
    return { document: isRight ? { sections, warnings: problems, placeOf } : undefined, problems };
  } catch (error) {
    return { document: undefined, problems: [problemOf(error, typeof source === 'string')] };
  }
}

/** Everything that is wrong with a document's text; empty where nothing is. */
export function checkSwml(text: string): readonly Problem[] {
  return loadSwml(text).problems;
}

function asDocument(steps: Json): JsonObject {
  return jsonObject([['sections', jsonObject([['main', steps]])]]);
}

/** What is wrong with a text as a whole is wrong at its first character. */
function problemOf(error: unknown, isText: boolean): Problem {
  const isKnown = error instanceof ScriptError;
  const code = isKnown ? error.code : 'relay_script_parse_internal_error';
  const place = (isKnown && error.place) || { line: 0, column: 0 };
  const { line, column } = isText && place.line === 0 ? { line: 1, column: 1 } : place;
  const path = formatPath((isKnown && error.path) || []);
  return {
    severity: 'error',
    code,
    message: (error as Error).message,
    todo: todoOf[code],
    path,
    line,
    column,
  };
}
