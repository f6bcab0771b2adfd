import {
  type Budget,
  Callable,
  EvaluationError,
  isTrue,
  isValues,
  maxItems,
  maxTextCharacters,
  toNumber,
  toText,
  type Value,
} from './value.ts';

type Method<T> = (self: T, args: readonly Value[], budget: Budget) => Value;

const whole = (value: Value): number | undefined =>
  value === undefined ? undefined : Math.trunc(toNumber(value)) || 0;

function callback(args: readonly Value[], budget: Budget): (...values: Value[]) => Value {
  const [called] = args;
  if (!(called instanceof Callable))
    throw new EvaluationError('a function is expected here, like (item) => item.name');
  return (...values) => {
    budget.spend(1);
    return called.call(values, budget);
  };
}

/** Of texts; those whose arguments are texts and whole numbers. */
const textMethods: Readonly<Record<string, Method<string>>> = {
  at: (text, [at]) => text.at(whole(at) ?? 0),
  charAt: (text, [at]) => text.charAt(whole(at) ?? 0),
  charCodeAt: (text, [at]) => text.charCodeAt(whole(at) ?? 0),
  concat: (text, args, budget) =>
    args.reduce<string>((all, each) => budget.text(all + toText(each, budget)), text),
  endsWith: (text, [end], budget) => text.endsWith(toText(end, budget)),
  includes: (text, [part, from], budget) => text.includes(toText(part, budget), whole(from)),
  indexOf: (text, [part, from], budget) => text.indexOf(toText(part, budget), whole(from)),
  lastIndexOf: (text, [part], budget) => text.lastIndexOf(toText(part, budget)),
  padEnd: (text, [length, fill], budget) =>
    text.padEnd(sizeOf(length), fill === undefined ? ' ' : toText(fill, budget)),
  padStart: (text, [length, fill], budget) =>
    text.padStart(sizeOf(length), fill === undefined ? ' ' : toText(fill, budget)),
  repeat: (text, [count]) => text.repeat(sizeOf(count, text.length)),
  replace: (text, [from, to], budget) => {
    const part = toText(from, budget);
    const at = text.indexOf(part);
    return at < 0 ? text : text.slice(0, at) + toText(to, budget) + text.slice(at + part.length);
  },
  replaceAll: (text, [from, to], budget) => {
    const pieces = text.split(toText(from, budget));
    const between = toText(to, budget);
    sizeOf(pieces.length, between.length);
    return pieces.join(between);
  },
  slice: (text, [from, to]) => text.slice(whole(from), whole(to)),
  split: (text, [by, most], budget) => {
    if (by === undefined) return [text];
    const separator = toText(by, budget);
    return budget.list(text.split(separator, Math.min(whole(most) ?? maxItems + 1, maxItems + 1)));
  },
  startsWith: (text, [start], budget) => text.startsWith(toText(start, budget)),
  substr: (text, [from, length]) => {
    const start = Math.max(0, (whole(from) ?? 0) < 0 ? text.length + (whole(from) ?? 0) : (whole(from) ?? 0));
    return text.slice(start, length === undefined ? undefined : start + Math.max(0, whole(length) ?? 0));
  },
  substring: (text, [from, to]) => text.substring(whole(from) ?? 0, whole(to)),
  toLowerCase: (text) => text.toLowerCase(),
  toString: (text: string) => text,
  toUpperCase: (text) => text.toUpperCase(),
  trim: (text) => text.trim(),
  trimEnd: (text) => text.trimEnd(),
  trimStart: (text) => text.trimStart(),
};

const listMethods: Readonly<Record<string, Method<readonly Value[]>>> = {
  at: (list, [at]) => list.at(whole(at) ?? 0),
  concat: (list, args, budget) =>
    budget.list(list.concat(...args.map((each) => (isValues(each) ? each : [each])))),
  every: (list, args, budget) => list.every((...each) => isTrue(callback(args, budget)(...each.slice(0, 2)))),
  filter: (list, args, budget) =>
    budget.list(list.filter((...each) => isTrue(callback(args, budget)(...each.slice(0, 2))))),
  find: (list, args, budget) => list.find((...each) => isTrue(callback(args, budget)(...each.slice(0, 2)))),
  findIndex: (list, args, budget) =>
    list.findIndex((...each) => isTrue(callback(args, budget)(...each.slice(0, 2)))),
  flat: (list, _args, budget) =>
    budget.list(list.flatMap((each) => (isValues(each) ? budget.list(each) : [each]))),
  includes: (list, [item], budget) => budget.list(list).includes(item),
  indexOf: (list, [item], budget) => budget.list(list).indexOf(item),
  join: (list, [by], budget) => {
    const between = by === undefined ? ',' : toText(by, budget);
    sizeOf(list.length, between.length);
    return budget
      .list(list)
      .map((each) => (each == null ? '' : toText(each, budget)))
      .join(between);
  },
  lastIndexOf: (list, [item], budget) => budget.list(list).lastIndexOf(item),
  map: (list, args, budget) =>
    budget.list(list.map((...each) => callback(args, budget)(...each.slice(0, 2)))),
  reduce: (list, args, budget) => {
    const call = callback(args, budget);
    if (list.length === 0 && args.length < 2)
      throw new EvaluationError('reduce of an empty list without a first value');
    const first = args.length < 2 ? list[0] : args[1];
    return list
      .slice(args.length < 2 ? 1 : 0)
      .reduce<Value>((all, each, index) => call(all, each, index), first);
  },
  reverse: (list, _args, budget) => budget.list(list.toReversed()),
  slice: (list, [from, to], budget) => budget.list(list.slice(whole(from), whole(to))),
  some: (list, args, budget) => list.some((...each) => isTrue(callback(args, budget)(...each.slice(0, 2)))),
  sort: (list, args, budget) => {
    if (args.length === 0) {
      const texts = budget.list(list).map((each) => ({ each, text: toText(each, budget) }));
      return texts.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text))).map(({ each }) => each);
    }
    const compare = callback(args, budget);
    return budget.list(list).toSorted((a, b) => toNumber(compare(a, b)));
  },
  toString: (list: readonly Value[], _args: readonly Value[], budget: Budget) => toText(list, budget),
};

const numberMethods: Readonly<Record<string, Method<number>>> = {
  toFixed: (value, [digits]) => value.toFixed(between(digits, 0, 100)),
  toPrecision: (value, [digits]) =>
    digits === undefined ? String(value) : value.toPrecision(between(digits, 1, 100)),
  toString: (value: number, [radix]: readonly Value[]) =>
    value.toString(radix === undefined ? 10 : between(radix, 2, 36)),
};

/** @throws EvaluationError for a text that would be too long, before it is made */
function sizeOf(count: Value, each = 1): number {
  const size = whole(count) ?? 0;
  if (size < 0 || size * each > maxTextCharacters)
    throw new EvaluationError(`a text of more than ${maxTextCharacters} characters`);
  return size;
}

function between(value: Value, least: number, most: number): number {
  const chosen = whole(value) ?? 0;
  if (chosen < least || chosen > most)
    throw new EvaluationError(`${chosen} is not between ${least} and ${most}`);
  return chosen;
}

/** The method `name` of a value, bound to it; undefined where there is none. */
export function methodOf(self: Value, name: string): Callable | undefined {
  if (typeof self === 'string') return bound(self, name, textMethods, self.length / 64);
  if (isValues(self)) return bound(self, name, listMethods, 1);
  if (typeof self === 'number') return bound(self, name, numberMethods, 1);
  if (typeof self === 'boolean' && name === 'toString') return new Callable(name, () => String(self));
  return undefined;
}

function bound<T>(
  self: T,
  name: string,
  methods: Readonly<Record<string, Method<T>>>,
  cost: number,
): Callable | undefined {
  if (!Object.hasOwn(methods, name)) return undefined;
  const method = methods[name]!;
  return new Callable(name, (args, budget) => {
    budget.spend(1 + cost);
    const result = budget.nested(() => method(self, args, budget));
    return typeof result === 'string' ? budget.text(result) : result;
  });
}
