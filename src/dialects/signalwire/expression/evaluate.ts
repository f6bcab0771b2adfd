import { isObject, type Json, jsonObject, memberOf } from '../json.ts';
import { builtins } from './builtins.ts';
import { methodOf } from './methods.ts';
import type { BinarySign, Node } from './parser.ts';
import {
  Budget,
  Callable,
  EvaluationError,
  isTrue,
  isValues,
  looselyEqual,
  toNumber,
  toPlain,
  toText,
  typeOf,
  type Value,
} from './value.ts';

/** What a name stands for; undefined where it stands for nothing. */
export type Names = (name: string) => Json | undefined;

/**
 * The value of an expression. Nothing of JavaScript's own objects can be reached from it: members are own keys of
 * values and the methods of a list, and steps, lengths and depth are bounded.
 * @throws EvaluationError
 */
export function evaluate(node: Node, names: Names, budget = new Budget()): Json | undefined {
  try {
    return toPlain(new Evaluator(names, budget).value(node, new Map()), budget);
  } catch (error) {
    // What JavaScript's own functions refuse (a count that is no count) is the expression's mistake, too.
    throw error instanceof EvaluationError ? error : new EvaluationError((error as Error).message);
  }
}

type Locals = ReadonlyMap<string, Value>;

class Evaluator {
  readonly #names: Names;
  readonly #budget: Budget;

  constructor(names: Names, budget: Budget) {
    this.#names = names;
    this.#budget = budget;
  }

  value(node: Node, locals: Locals): Value {
    this.#budget.spend(1);
    return this.#budget.nested(() => this.#valueOf(node, locals));
  }

  #valueOf(node: Node, locals: Locals): Value {
    const value = (each: Node): Value => this.value(each, locals);
    switch (node.kind) {
      case 'literal':
        return node.value;
      case 'name':
        return this.#named(node.name, locals);
      case 'text':
        return this.#budget.text(node.parts.map((part) => this.#embedded(value(part))).join(''));
      case 'list':
        return this.#budget.list(node.items.map(value));
      case 'object':
        return jsonObject(
          node.entries.map(({ key, value: each }) => [toText(value(key)), value(each) as Json]),
        );
      case 'choice':
        return value(isTrue(value(node.condition)) ? node.yes : node.no);
      case 'unary':
        return this.#unary(node.sign, value(node.operand));
      case 'binary':
        return this.#binary(node.sign, value(node.left), () => value(node.right));
      case 'member':
        return this.#member(node, locals);
      case 'call':
        return this.#call(node, locals);
      case 'function':
        return this.#function(node, locals);
    }
  }

  #named(name: string, locals: Locals): Value {
    if (locals.has(name)) return locals.get(name);
    return this.#names(name) ?? builtins.get(name);
  }

  /** As in the text of a parameter: what is not set is nothing. */
  #embedded(value: Value): string {
    return value == null ? '' : toText(value, this.#budget);
  }

  #member({ object, key, optional }: Extract<Node, { kind: 'member' }>, locals: Locals): Value {
    const self = this.value(object, locals);
    if (self == null && optional) return undefined;
    const name = this.value(key, locals);
    return this.#memberOf(self, typeof name === 'number' ? name : toText(name, this.#budget), object);
  }

  #memberOf(self: Value, key: string | number, node: Node): Value {
    if (self == null) throw new EvaluationError(`${described(node)} is not set, so it has no "${key}"`);
    if (self instanceof Callable) return self.members.get(String(key));
    if (typeof self === 'string' && typeof key === 'number') return self[key];
    if (key === 'length' && (typeof self === 'string' || isValues(self))) return self.length;
    return memberOf(self as Json, key) ?? methodOf(self, String(key));
  }

  #call({ callee, arguments: args, optional }: Extract<Node, { kind: 'call' }>, locals: Locals): Value {
    const called = this.value(callee, locals);
    if (called == null && optional) return undefined;
    if (!(called instanceof Callable)) throw new EvaluationError(`${described(callee)} is not a function`);
    return called.call(
      args.map((each) => this.value(each, locals)),
      this.#budget,
    );
  }

  #function({ parameters, body }: Extract<Node, { kind: 'function' }>, locals: Locals): Value {
    return new Callable('the function', (args) =>
      this.value(
        body,
        new Map([...locals, ...parameters.map((name, index) => [name, args[index]] as const)]),
      ),
    );
  }

  #unary(sign: string, operand: Value): Value {
    if (sign === 'typeof') return typeOf(operand);
    if (sign === '!') return !isTrue(operand);
    return sign === '-' ? -toNumber(operand) : toNumber(operand);
  }

  #binary(sign: BinarySign, left: Value, right: () => Value): Value {
    if (sign === '&&') return isTrue(left) ? right() : left;
    if (sign === '||') return isTrue(left) ? left : right();
    if (sign === '??') return left ?? right();
    const other = right();
    switch (sign) {
      case '==':
        return looselyEqual(left, other, this.#budget);
      case '!=':
        return !looselyEqual(left, other, this.#budget);
      case '===':
        return left === other;
      case '!==':
        return left !== other;
      case '+':
        return this.#sum(left, other);
      case '<':
      case '>':
      case '<=':
      case '>=':
        return compare(sign, left, other);
      default:
        return calculate(sign, toNumber(left), toNumber(other));
    }
  }

  #sum(left: Value, right: Value): Value {
    const isText = [left, right].some((each) => typeof each === 'string' || isObject(each) || isValues(each));
    if (!isText) return toNumber(left) + toNumber(right);
    return this.#budget.text(toText(left, this.#budget) + toText(right, this.#budget));
  }
}

function compare(sign: '<' | '>' | '<=' | '>=', left: Value, right: Value): boolean {
  const areTexts = typeof left === 'string' && typeof right === 'string';
  const [a, b] = areTexts ? [left, right] : [toNumber(left), toNumber(right)];
  if (sign === '<') return a < b;
  if (sign === '>') return a > b;
  return sign === '<=' ? a <= b : a >= b;
}

function calculate(sign: '-' | '*' | '/' | '%' | '**', left: number, right: number): number {
  switch (sign) {
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '**':
      return left ** right;
  }
}

function described(node: Node): string {
  if (node.kind === 'name') return node.name;
  if (node.kind !== 'member' || node.key.kind !== 'literal') return 'what stands before';
  return `${described(node.object)}.${String(node.key.value)}`;
}
