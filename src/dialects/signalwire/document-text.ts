import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
} from 'yaml';
import { type Json, jsonObject, toJson, valueLimits } from './json.ts';
import { type Path, type Place, ScriptError, type ScriptErrorCode } from './script-error.ts';

export const maxDocumentCharacters = 131_072;
/** YAML takes longer to read: a hostile one of this length 0.3 s. */
export const maxYamlCharacters = 65_536;

/** A document's value, with the way back from a path to its place. */
export interface DocumentText {
  value: Json;
  /** Of the deepest part of `path` that is there; a key's place for a key's value. */
  placeOf(path: Path): Place;
}

const nowhere: Place = { line: 0, column: 0 };

/** A mistake in the text itself, at its place. */
function mistake(code: ScriptErrorCode, message: string, place: Place, path?: Path): ScriptError {
  const error = new ScriptError(code, message, path);
  error.place = place;
  return error;
}

/**
 * JSON or YAML 1.2 (core schema) as a value of ours.
 * @throws ScriptError relay_script_parse_error, relay_script_element_duplicated, relay_script_nested_too_deep
 */
export function readDocumentText(text: string): DocumentText {
  const plain = text.replace(/^\ufeff/, '');
  if (plain.length > maxDocumentCharacters)
    throw mistake('relay_script_parse_error', `longer than ${maxDocumentCharacters} characters`, nowhere);
  const json = /^\s*[{[]/.test(plain) ? readJson(plain) : undefined;
  if (json) return json;
  if (plain.length > maxYamlCharacters)
    throw mistake(
      'relay_script_parse_error',
      `no JSON, and longer than ${maxYamlCharacters} characters`,
      nowhere,
    );
  return readYaml(plain);
}

/** @throws ScriptError */
export function readDocumentObject(value: unknown): DocumentText {
  return { value: toJson(value), placeOf: () => nowhere };
}

/** Most documents come as JSON: they are read the quick way, and again where a place in them is asked for. */
function readJson(text: string): DocumentText | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const value = toJson(parsed);
  if (keysIn(text) !== keysOf(value)) return undefined;
  let places: DocumentText['placeOf'] | undefined;
  return {
    value,
    placeOf(path) {
      places ??= placesOf(text);
      return places(path);
    },
  };
}

function keysIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:?)/g)) if (colon) count++;
  return count;
}

function keysOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, each) => sum + keysOf(each as Json), own);
}

function placesOf(text: string): DocumentText['placeOf'] {
  try {
    return readYaml(text).placeOf;
  } catch {
    return () => nowhere;
  }
}

function readYaml(text: string): DocumentText {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const document = parsed(text, lines);
  const [problem] = document.errors;
  if (problem) {
    // The parser tells so of its own stack.
    const isDepth = /call stack/.test(problem.message);
    throw mistake(
      isDepth ? 'relay_script_nested_too_deep' : 'relay_script_parse_error',
      isDepth ? 'nested too deep' : (problem.message.split('\n')[0] ?? 'neither JSON nor YAML'),
      place(problem.pos[0]),
    );
  }
  const reader = new NodeReader((node, code, message, path) => {
    throw mistake(code, message, place(node?.range?.[0] ?? 0), path);
  });
  const value = reader.read(document.contents, []);
  return { value, placeOf: (path) => place(reader.offsetOf(path)) };
}

function parsed(text: string, lineCounter: LineCounter) {
  try {
    // Its own look for duplicates takes time that grows with the square of their number.
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
    });
  } catch (error) {
    const isDepth = error instanceof RangeError;
    throw mistake(
      isDepth ? 'relay_script_nested_too_deep' : 'relay_script_parse_internal_error',
      isDepth ? 'nested too deep' : (error as Error).message,
      nowhere,
    );
  }
}

type Fail = (node: Node | null | undefined, code: ScriptErrorCode, message: string, path: Path) => never;
interface Entry {
  offset: number;
  parts: Map<string | number, Entry>;
}

/** YAML nodes as values, bounded: an alias counts as often as it is used. */
class NodeReader {
  readonly #fail: Fail;
  readonly #anchors = new Map<string, Node>();
  readonly #root: Entry = { offset: 0, parts: new Map() };
  #values = 0;
  #characters = 0;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  read(node: unknown, path: Path, entry = this.#root): Json {
    if (node == null) return null;
    const { range } = node as Node;
    if (range && entry.offset === 0) entry.offset = range[0];
    this.#count(node as Node, path, 0);
    if (isAlias(node)) return this.#alias(node, path, entry);
    const { anchor } = node as { anchor?: string };
    if (anchor) this.#anchors.set(anchor, node as Node);
    if (isScalar(node)) return this.#scalar(node, path);
    if (isSeq(node))
      return node.items.map((item, index) => this.read(item, [...path, index], part(entry, index, item)));
    if (isMap(node)) return this.#map(node.items, path, entry);
    return this.#fail(node as Node, 'relay_script_parse_error', 'this kind of YAML is not understood', path);
  }

  offsetOf(path: Path): number {
    let entry = this.#root;
    for (const key of path) {
      const next = entry.parts.get(key);
      if (!next) break;
      entry = next;
    }
    return entry.offset;
  }

  #alias(alias: Alias, path: Path, entry: Entry): Json {
    const node = this.#anchors.get(alias.source);
    if (!node)
      return this.#fail(alias, 'relay_script_parse_error', `no anchor "${alias.source}" before it`, path);
    return this.read(node, path, { ...entry });
  }

  #map(items: readonly Pair[], path: Path, entry: Entry): Json {
    const object = jsonObject();
    for (const { key, value } of items) {
      const node = key as Node;
      if (!isScalar(key))
        return this.#fail(node, 'relay_script_element_wrong_type', 'a key has to be a text', path);
      const name = String(key.source ?? key.value);
      this.#count(node, path, name.length);
      const inner = [...path, name];
      if (Object.hasOwn(object, name))
        return this.#fail(node, 'relay_script_element_duplicated', `"${name}" stands here twice`, inner);
      object[name] = this.read(value, inner, part(entry, name, key));
    }
    return object;
  }

  /**
   * A number whose digits say more than its value stays a text: `+15551231234`, `0123`, the version.
   */
  #scalar(scalar: Scalar, path: Path): Json {
    const { value, source } = scalar;
    if (typeof value === 'string') {
      this.#count(scalar, path, value.length);
      return value;
    }
    if (typeof value === 'boolean') return value;
    if (typeof value !== 'number') return null;
    const isVersion = path.length === 1 && path[0] === 'version';
    const isDigits = /^[-+]?\d+$/.test(source ?? '') && String(value) !== source;
    return source !== undefined && (isVersion || isDigits || !Number.isFinite(value)) ? source : value;
  }

  #count(node: Node, path: Path, characters: number): void {
    if (path.length > valueLimits.maxDepth)
      this.#fail(
        node,
        'relay_script_nested_too_deep',
        `nested deeper than ${valueLimits.maxDepth} levels`,
        path,
      );
    this.#values++;
    this.#characters += characters;
    if (this.#values > valueLimits.maxValues || this.#characters > valueLimits.maxCharacters)
      this.#fail(node, 'relay_script_parse_error', 'the document holds too much', path);
  }
}

function part(entry: Entry, key: string | number, node: unknown): Entry {
  const made: Entry = { offset: (node as Node | null)?.range?.[0] ?? entry.offset, parts: new Map() };
  entry.parts.set(key, made);
  return made;
}
