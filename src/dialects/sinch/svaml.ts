import { jsonPlaces } from '../../json-places.ts';
import { type Action, readAction } from './actions.ts';
import { Fields, isObject, shown } from './fields.ts';
import { type Instruction, readInstruction, type SvamlUse } from './instructions.ts';
import { type Path, type Place, type Problem, Problems } from './problems.ts';
import type { RecordingRules } from './recording-options.ts';

/** What the vendor's application markup language says, read whole: instructions, then one action. */
export interface Svaml {
  /** In the order in which they are done. */
  instructions: readonly Instruction[];
  /** Undefined: none is given. */
  action: Action | undefined;
  /** What it asks for and will not get. */
  warnings: readonly Problem[];
}

/** `svaml` is there where no problem is an error. */
export interface LoadedSvaml {
  svaml: Svaml | undefined;
  problems: readonly Problem[];
}

export interface SvamlOptions extends RecordingRules {
  /** Undefined: all that any of them may have. */
  use?: SvamlUse | undefined;
}

export const maxSvamlCharacters = 131_072;
const maxInstructions = 200;
const maxCookieBytes = 1024;
const nowhere: Place = { line: 0, column: 0 };

/**
 * Reads an answer to a callback, or the body of a request to a call, as JSON text or as what was parsed of it, and
 * looks at all of it. Nothing at all says nothing. Never throws.
 */
export function loadSvaml(source: unknown, options: SvamlOptions = {}): LoadedSvaml {
  const text = typeof source === 'string' ? source.replace(/^\ufeff/, '') : undefined;
  const problems = new Problems(text === undefined ? undefined : placesOf(text));
  const value = text === undefined ? (source ?? {}) : parsed(text, problems);
  const document = value === undefined ? undefined : read(value, options, problems);
  if (problems.hasErrors || !document) return { svaml: undefined, problems: problems.all };
  return { svaml: { ...document, warnings: problems.all }, problems: problems.all };
}

/** Everything that is wrong with a document's text; empty where nothing is. */
export function checkSvaml(text: string, options: SvamlOptions = {}): readonly Problem[] {
  return loadSvaml(text, options).problems;
}

function parsed(text: string, problems: Problems): unknown {
  if (text.length > maxSvamlCharacters) {
    problems.error(40003, `longer than ${maxSvamlCharacters} characters`, []);
    return undefined;
  }
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    const places = jsonPlaces(text);
    problems.error(40003, 'mistake' in places ? places.mistake : 'not JSON', []);
    return undefined;
  }
}

/** Of the deepest part of a path that is there; of the text's own mistake, where it has one. */
function placesOf(text: string): (path: Path) => Place {
  let offsetOf: ((path: Path) => number) | undefined;
  let placeAt: ((offset: number) => Place) | undefined;
  return (path) => {
    if (text.length > maxSvamlCharacters) return nowhere;
    offsetOf ??= offsetsOf(text);
    placeAt ??= linesOf(text);
    return placeAt(offsetOf(path));
  };
}

function offsetsOf(text: string): (path: Path) => number {
  const places = jsonPlaces(text);
  return (path) => {
    if ('mistake' in places) return places.offset;
    let at = places.root;
    for (const key of path) {
      const inner = at.parts.get(key);
      if (!inner) break;
      at = inner;
    }
    return at.offset;
  };
}

function linesOf(text: string): (offset: number) => Place {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  return (offset) => {
    let line = 0;
    let end = starts.length;
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if (starts[middle]! <= offset) line = middle;
      else end = middle;
    }
    return { line: line + 1, column: offset - starts[line]! + 1 };
  };
}

function read(
  value: unknown,
  options: SvamlOptions,
  problems: Problems,
): Omit<Svaml, 'warnings'> | undefined {
  if (!isObject(value)) {
    problems.error(40001, `an object with "instructions" and "action" is expected, not ${shown(value)}`, []);
    return undefined;
  }
  const fields = new Fields(value, [], problems);
  const instructions: Instruction[] = [];
  for (const [index, each] of (fields.list('instructions', maxInstructions) ?? []).entries()) {
    const given = Fields.of(each, ['instructions', index], problems);
    const instruction = given && readInstruction(given, options);
    if (instruction) instructions.push(instruction);
  }
  const given = fields.object('action');
  const action = given && readAction(given, options.use, options);
  fields.end();
  checkCookies(instructions, problems);
  return { instructions: recordable(instructions, action, problems), action };
}

/** Of one document; with `custom`, which the wiring knows, they may have no more. */
function checkCookies(instructions: readonly Instruction[], problems: Problems): void {
  const bytes = instructions.reduce(
    (sum, each) => sum + (each.name === 'setCookie' ? Buffer.byteLength(each.key + each.value) : 0),
    0,
  );
  if (bytes > maxCookieBytes)
    problems.error(40001, `the cookies have more than ${maxCookieBytes} bytes`, ['instructions']);
}

/** The vendor does not support recording instructions with ConnectMxp; the action's flag it does. */
function recordable(
  instructions: readonly Instruction[],
  action: Action | undefined,
  problems: Problems,
): readonly Instruction[] {
  if (action?.name !== 'connectMxp') return instructions;
  const others = instructions.filter(({ name }) => name !== 'startRecording' && name !== 'stopRecording');
  if (others.length < instructions.length)
    problems.warn(
      'startRecording and stopRecording are ignored with connectMxp: set "record" on the action',
      ['instructions'],
    );
  return others;
}
