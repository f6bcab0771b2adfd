import { evaluate } from './expression/evaluate.ts';
import { parseExpression } from './expression/parser.ts';
import { endOfBraces } from './expression/tokens.ts';
import { Budget, maxSteps, toText } from './expression/value.ts';
import { isList, isObject, type Json, jsonObject } from './json.ts';
import { ScriptError } from './script-error.ts';
import { type Variables, variablePath } from './variables.ts';

/** Texts become no longer than this by what is put into them. */
export const maxSubstitutedCharacters = 65_536;

/** An expression that is right and fails nevertheless: it is nothing, and the script goes on. */
export type Warn = (message: string) => void;

/** With what, and at whose cost. */
export interface Filling {
  variables: Variables;
  warn: Warn;
  /** Steps that the expressions of a whole script may still take. */
  purse: { steps: number };
}

interface Piece {
  /** Text as it stands, or the source of a `${...}`. */
  kind: 'text' | 'source';
  text: string;
}

const templateStart = /[$%]\{/g;

/** `say: Hello ${name}!` in its pieces; a `${` without its `}` is text. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  templateStart.lastIndex = 0;
  for (let match = templateStart.exec(text); match; match = templateStart.exec(text)) {
    const at = match.index;
    const end = endOfBraces(text, at + 1);
    if (end === undefined) break;
    if (at > from) pieces.push({ kind: 'text', text: text.slice(from, at) });
    pieces.push({ kind: 'source', text: text.slice(at + 2, end).trim() });
    from = end + 1;
    templateStart.lastIndex = from;
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from) });
  return pieces;
}

/** Whether anything in it is put in at run time. */
export function hasTemplate(value: Json): boolean {
  if (typeof value === 'string') return piecesOf(value).some(({ kind }) => kind === 'source');
  if (isList(value)) return value.some(hasTemplate);
  return isObject(value) && Object.values(value).some(hasTemplate);
}

/**
 * What is wrong with the expressions in a text, before anything runs.
 * @throws ExpressionSyntaxError
 */
export function checkTemplates(text: string): void {
  for (const { kind, text: source } of piecesOf(text))
    if (kind === 'source' && source !== '' && !variablePath(source)) parseExpression(source);
}

/**
 * A value with everything put in: `${...}` and `%{...}` alike. A text that is nothing but one of them becomes its value,
 * whatever its kind (W4: `stereo: "${flag}"`); what is not set becomes an empty text. What was put in is not looked at
 * again.
 */
export function substitute(value: Json, filling: Filling): Json {
  if (typeof value === 'string') return substituteText(value, filling);
  if (isList(value)) return value.map((each) => substitute(each, filling));
  if (!isObject(value)) return value;
  return jsonObject(Object.entries(value).map(([key, each]) => [key, substitute(each, filling)]));
}

function substituteText(text: string, filling: Filling): Json {
  const pieces = piecesOf(text);
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === 'source') return resolved(only.text, filling) ?? '';
  let filled = '';
  for (const { kind, text: each } of pieces) {
    filled += kind === 'text' ? each : textOf(each, filling);
    if (filled.length > maxSubstitutedCharacters)
      throw new ScriptError(
        'relay_script_method_parameter_invalid_value',
        `longer than ${maxSubstitutedCharacters} characters with its variables put in`,
      );
  }
  return filled;
}

function textOf(source: string, filling: Filling): string {
  const value = resolved(source, filling);
  if (value == null) return '';
  try {
    return toText(value);
  } catch (error) {
    filling.warn(`\${${source}}: ${(error as Error).message}`);
    return '';
  }
}

function resolved(source: string, filling: Filling): Json | undefined {
  if (source === '') return undefined;
  const path = variablePath(source);
  const found = path && filling.variables.resolve(path);
  // `${a.b-c}` is a header's name or a subtraction: whichever there is.
  if (path && (found !== undefined || !source.includes('-'))) return found;
  return attempt(source, filling);
}

function attempt(source: string, { variables, warn, purse }: Filling): Json | undefined {
  const budget = new Budget(Math.min(maxSteps, purse.steps));
  try {
    return evaluate(parseExpression(source), variables.named, budget);
  } catch (error) {
    warn(`\${${source.slice(0, 100)}}: ${(error as Error).message}`);
    return undefined;
  } finally {
    purse.steps -= budget.spent;
    if (purse.steps <= 0)
      // biome-ignore lint/correctness/noUnsafeFinally: whatever the expression came to, the script is over
      throw new ScriptError(
        'relay_script_method_execute_failed',
        'the expressions of the script take too long',
      );
  }
}

/** The condition of a `when`; one that fails is not met. */
export function isMet(condition: string, filling: Filling): boolean {
  return Boolean(attempt(condition, filling));
}
