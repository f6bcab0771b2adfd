import { isObject, jsonObject, toJson } from '../json.ts';
import {
  type Budget,
  Callable,
  EvaluationError,
  isValues,
  jsonText,
  toNumber,
  toText,
  type Value,
} from './value.ts';

type Entry = readonly [string, Callable];

function builtin(name: string, call: Callable['call']): Entry {
  return [name, new Callable(name, call)];
}

function numeric(name: string, compute: (...numbers: number[]) => number): Entry {
  return builtin(name, (args, budget) => {
    budget.spend(args.length);
    return compute(...args.slice(0, 1000).map(toNumber));
  });
}

function textual(name: string, compute: (text: string) => Value): Entry {
  return builtin(name, ([value], budget) => {
    const result = compute(toText(value, budget));
    return typeof result === 'string' ? budget.text(result) : result;
  });
}

/** A malformed percent-encoding or JSON is the expression's mistake. */
function attempted<T>(what: string, attempt: () => T): T {
  try {
    return attempt();
  } catch {
    throw new EvaluationError(`${what} can't read its text`);
  }
}

function namespace(name: string, members: Iterable<readonly [string, Value]>): readonly [string, Callable] {
  return [
    name,
    new Callable(
      name,
      () => {
        throw new EvaluationError(`${name} is not a function`);
      },
      members,
    ),
  ];
}

const math = namespace('Math', [
  ['PI', Math.PI],
  ['E', Math.E],
  ...(
    ['abs', 'ceil', 'floor', 'round', 'trunc', 'sign', 'sqrt', 'cbrt', 'log', 'log2', 'log10', 'exp'] as const
  ).map((name) => numeric(name, (value = Number.NaN) => Math[name](value))),
  numeric('max', Math.max),
  numeric('min', Math.min),
  numeric('pow', (base = Number.NaN, power = Number.NaN) => base ** power),
  numeric('random', Math.random),
]);

function parseInteger([value, radix]: readonly Value[], budget: Budget): number {
  return Number.parseInt(toText(value, budget), radix === undefined ? undefined : toNumber(radix));
}

function entriesOf(value: Value): [string, Value][] {
  if (isValues(value)) return value.map((each, index) => [String(index), each]);
  return isObject(value) ? Object.entries(value) : [];
}

const json = namespace('JSON', [
  builtin('stringify', ([value], budget) => jsonText(value, budget)),
  builtin('parse', ([value], budget) => {
    const text = toText(value, budget);
    return attempted('JSON.parse', () => toJson(JSON.parse(text)));
  }),
]);

const object = new Callable(
  'Object',
  ([value]) => (isObject(value) || isValues(value) ? value : jsonObject()),
  [
    builtin('keys', ([value], budget) => budget.list(entriesOf(value).map(([key]) => key))),
    builtin('values', ([value], budget) => budget.list(entriesOf(value).map(([, each]) => each))),
    builtin('entries', ([value], budget) => budget.list<Value>(entriesOf(value))),
  ],
);

const number = new Callable('Number', (args) => (args.length === 0 ? 0 : toNumber(args[0])), [
  builtin('isInteger', ([value]) => Number.isInteger(value)),
  builtin('isFinite', ([value]) => Number.isFinite(value)),
  builtin('isNaN', ([value]) => Number.isNaN(value)),
  builtin('parseInt', parseInteger),
  textual('parseFloat', Number.parseFloat),
]);

/** What every expression can name beside the variables. */
export const builtins: ReadonlyMap<string, Value> = new Map<string, Value>([
  math,
  json,
  ['Object', object],
  ['Number', number],
  namespace('Array', [builtin('isArray', ([value]) => isValues(value))]),
  builtin('String', (args, budget) => (args.length === 0 ? '' : toText(args[0], budget))),
  builtin('Boolean', ([value]) => Boolean(value)),
  builtin('parseInt', parseInteger),
  textual('parseFloat', Number.parseFloat),
  builtin('isNaN', ([value]) => Number.isNaN(toNumber(value))),
  builtin('isFinite', ([value]) => Number.isFinite(toNumber(value))),
  textual('encodeURIComponent', (text) => attempted('encodeURIComponent', () => encodeURIComponent(text))),
  textual('decodeURIComponent', (text) => attempted('decodeURIComponent', () => decodeURIComponent(text))),
]);
