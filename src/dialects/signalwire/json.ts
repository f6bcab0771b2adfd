import { ScriptError } from './script-error.ts';

/**
 * What variables and documents hold. Objects have no prototype, so that no key means anything to JavaScript; only own
 * keys are ever read.
 */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
export type MutableJsonObject = { [key: string]: Json };

export function jsonObject(entries: Iterable<readonly [string, Json]> = []): MutableJsonObject {
  const object = Object.create(null) as MutableJsonObject;
  for (const [key, value] of entries) object[key] = value;
  return object;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** Own keys only, a list's by their number; undefined for everything else. */
export function memberOf(value: Json | undefined, key: string | number): Json | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (isList(value)) return /^\d+$/.test(String(key)) ? value[Number(key)] : undefined;
  return Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}

export interface JsonLimits {
  maxDepth: number;
  /** Values of every kind, keys included. */
  maxValues: number;
  /** Of all strings and keys together. */
  maxCharacters: number;
}

/** Bounds of what one value may hold, wherever it comes from. */
export const valueLimits: JsonLimits = { maxDepth: 64, maxValues: 20_000, maxCharacters: 1_000_000 };

/**
 * Anything as JSON of our own: copied, bounded, without prototypes. What JSON can't say becomes null.
 * @throws ScriptError relay_script_nested_too_deep, or relay_script_element_invalid_value for one that is too large
 */
export function toJson(value: unknown, limits: JsonLimits = valueLimits): Json {
  return new Copier(limits).copy(value, 0);
}

/** How many characters its JSON text has, roughly; ends counting at `enough`. */
export function sizeOf(value: Json, enough = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 2;
  const entries = isList(value) ? value.map((each) => ['', each] as const) : Object.entries(value);
  for (const [key, each] of entries) {
    size += key.length + 3 + sizeOf(each, enough);
    if (size > enough) break;
  }
  return size;
}

class Copier {
  readonly #limits: JsonLimits;
  #values = 0;
  #characters = 0;

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  copy(value: unknown, depth: number): Json {
    if (depth > this.#limits.maxDepth)
      throw new ScriptError(
        'relay_script_nested_too_deep',
        `nested deeper than ${this.#limits.maxDepth} levels`,
      );
    this.#count(1, 0);
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : null;
    if (typeof value !== 'object' || value === null) return null;
    if (Array.isArray(value)) return value.map((each) => this.copy(each, depth + 1));
    const copied = jsonObject();
    for (const [key, each] of Object.entries(value))
      if (each !== undefined) copied[this.#text(key)] = this.copy(each, depth + 1);
    return copied;
  }

  #text(text: string): string {
    this.#count(0, text.length);
    return text;
  }

  #count(values: number, characters: number): void {
    this.#values += values;
    this.#characters += characters;
    if (this.#values > this.#limits.maxValues || this.#characters > this.#limits.maxCharacters)
      throw new ScriptError('relay_script_element_invalid_value', 'the value is too large');
  }
}
