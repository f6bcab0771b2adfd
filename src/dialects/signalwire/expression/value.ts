import { isList, type Json } from '../json.ts';

/** Something that can be called in an expression; never a function of JavaScript's. */
export class Callable {
  readonly name: string;
  readonly call: (args: readonly Value[], budget: Budget) => Value;
  /** Of a builtin with parts of its own: `Math.round`, `JSON.parse`. */
  readonly members: ReadonlyMap<string, Value>;

  constructor(name: string, call: Callable['call'], members: Iterable<readonly [string, Value]> = []) {
    this.name = name;
    this.call = call;
    this.members = new Map(members);
  }
}

export type Value = Json | undefined | Callable | readonly Value[];

/** The expression is right, what it does is not: an undefined value, a limit. */
export class EvaluationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EvaluationError';
  }
}

export const maxTextCharacters = 65_536;
export const maxItems = 10_000;
/** As many as take well under the vendor's 150 ms. */
export const maxSteps = 50_000;

/** What one evaluation may cost; a text of 64 characters costs as much as a step. */
export class Budget {
  readonly #steps: number;
  #spent = 0;
  #depth = 0;

  constructor(steps = maxSteps) {
    this.#steps = steps;
  }

  get spent(): number {
    return this.#spent;
  }

  spend(steps: number): void {
    this.#spent += steps;
    if (this.#spent > this.#steps) throw new EvaluationError('the expression takes too long');
  }

  /** Functions that call each other without end. */
  nested<T>(action: () => T): T {
    if (++this.#depth > 200) throw new EvaluationError('the expression is nested too deep');
    const result = action();
    this.#depth--;
    return result;
  }

  text(text: string): string {
    if (text.length > maxTextCharacters)
      throw new EvaluationError(`a text of more than ${maxTextCharacters} characters`);
    this.spend(1 + text.length / 64);
    return text;
  }

  list<T extends Value>(items: readonly T[]): readonly T[] {
    if (items.length > maxItems) throw new EvaluationError(`a list of more than ${maxItems} items`);
    this.spend(1 + items.length / 4);
    return items;
  }
}

export function isValues(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function typeOf(value: Value): string {
  if (value instanceof Callable) return 'function';
  return value === null ? 'object' : typeof value;
}

export function isTrue(value: Value): boolean {
  return Boolean(value);
}

/** As JavaScript has it, but objects become JSON instead of `[object Object]`. */
export function toText(value: Value, budget = new Budget()): string {
  if (typeof value === 'string') return budget.text(value);
  if (value instanceof Callable) throw new EvaluationError(`${value.name} is a function`);
  if (value === undefined || value === null || typeof value !== 'object') return String(value);
  if (isValues(value))
    return budget.nested(() =>
      budget.text(
        budget
          .list(value)
          .map((each) => (each == null ? '' : toText(each, budget)))
          .join(','),
      ),
    );
  return jsonText(value, budget);
}

export function jsonText(value: Value, budget = new Budget()): string {
  toPlain(value, budget);
  return budget.text(JSON.stringify(value) ?? 'undefined');
}

export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return Number(value.length > 64 ? Number.NaN : value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null ? 0 : Number.NaN;
}

/** `==`: what differs in kind is compared as numbers, and with objects as texts. */
export function looselyEqual(left: Value, right: Value, budget: Budget): boolean {
  if (left == null || right == null) return left == null && right == null;
  const leftObject = typeof left === 'object';
  const rightObject = typeof right === 'object';
  if (leftObject && rightObject) return left === right;
  if (leftObject) return looselyEqual(toText(left, budget), right, budget);
  if (rightObject) return looselyEqual(left, toText(right, budget), budget);
  if (typeof left === typeof right) return left === right;
  return toNumber(left) === toNumber(right);
}

/** @throws EvaluationError where a function is in it: that is no value of a script */
export function toPlain(value: Value, budget: Budget): Json | undefined {
  if (value instanceof Callable) throw new EvaluationError(`${value.name} is a function, not a value`);
  if (typeof value !== 'object' || value === null) return value;
  return budget.nested(() => {
    if (isList(value) || isValues(value))
      for (const each of budget.list(value as readonly Value[])) toPlain(each, budget);
    else for (const each of Object.values(value)) toPlain(each, budget);
    return value as Json;
  });
}
