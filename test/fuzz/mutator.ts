import { mutateLines } from './line-mutations.ts';
import type { Random } from './random.ts';

export interface MutatorOptions {
  random: Random;
  /** Words of the grammar under test. */
  dictionary: readonly Uint8Array[];
  /** Lines mean something. */
  isText: boolean;
  maxBytes: number;
}

type Mutation = (input: Uint8Array, options: MutatorOptions, other: Uint8Array) => Uint8Array;

/** A copy of `input` with one to eight changes. @param other another input, to take pieces from */
export function mutate(input: Uint8Array, other: Uint8Array, options: MutatorOptions): Uint8Array {
  const { random, maxBytes, isText } = options;
  let bytes = input;
  for (let left = random.size(8); left > 0; left--) {
    const mutation = random.pick(isText && random.oneIn(2) ? textMutations : mutations);
    bytes = mutation(bytes, options, other);
    if (bytes.length > maxBytes) bytes = bytes.subarray(0, maxBytes);
  }
  return bytes === input ? Uint8Array.from(input) : bytes;
}

/** `input` with [at, at + remove) replaced. */
export function replaced(
  input: Uint8Array,
  at: number,
  remove: number,
  by: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const end = Math.min(at + remove, input.length);
  const out = new Uint8Array(input.length - (end - at) + by.length);
  out.set(input.subarray(0, at));
  out.set(by, at);
  out.set(input.subarray(end), at + by.length);
  return out;
}

function range(input: Uint8Array, random: Random): { at: number; bytes: number } {
  const at = random.below(input.length);
  return { at, bytes: Math.min(random.size(Math.max(input.length, 1)), input.length - at) };
}

function changed(input: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = Uint8Array.from(input);
  if (copy.length > 0) change(copy);
  return copy;
}

function randomBytes(random: Random, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, () => random.below(256));
}

const edgeBytes = [0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x3b, 0x3c, 0x3e, 0x40, 0x5c, 0x7f, 0x80, 0xff];
const edgeWords = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const edgeDoubleWords = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_0000, 0xffff_fffe, 0xffff_ffff];
const repeats = [2, 3, 16, 65, 129, 257, 1000, 9000, 30_000];

const mutations: readonly Mutation[] = [
  (input, { random }) => changed(input, (copy) => (copy[random.below(copy.length)]! ^= 1 << random.below(8))),
  (input, { random }) => changed(input, (copy) => (copy[random.below(copy.length)] = random.below(256))),
  (input, { random }) => changed(input, (copy) => (copy[random.below(copy.length)] = random.pick(edgeBytes))),
  (input, { random }) =>
    changed(input, (copy) => (copy[random.below(copy.length)]! += random.below(33) - 16)),
  (input, { random }) =>
    changed(input, (copy) => {
      if (copy.length < 2) return;
      const view = new DataView(copy.buffer);
      view.setUint16(random.below(copy.length - 1), random.pick(edgeWords));
    }),
  (input, { random }) =>
    changed(input, (copy) => {
      if (copy.length < 4) return;
      new DataView(copy.buffer).setUint32(random.below(copy.length - 3), random.pick(edgeDoubleWords));
    }),
  (input, { random }) =>
    replaced(input, random.below(input.length + 1), 0, randomBytes(random, random.size(16))),
  (input, { random }) => {
    const { at, bytes } = range(input, random);
    return replaced(input, at, bytes);
  },
  /** A part once more, behind itself or elsewhere. */
  (input, { random }) => {
    const { at, bytes } = range(input, random);
    const to = random.oneIn(2) ? at : random.below(input.length + 1);
    return replaced(input, to, 0, input.slice(at, at + bytes));
  },
  /** A short part very often. */
  (input, { random, maxBytes }) => {
    const { at, bytes } = range(input, random);
    const unit = input.subarray(at, at + Math.min(bytes, 1 + random.below(12)));
    const times = Math.min(random.pick(repeats), Math.floor(maxBytes / Math.max(unit.length, 1)));
    const out = new Uint8Array(unit.length * times);
    for (let i = 0; i < times; i++) out.set(unit, i * unit.length);
    return replaced(input, at, 0, out);
  },
  (input, { random }) => input.slice(0, random.below(input.length + 1)),
  (input, { random, dictionary }) =>
    replaced(input, random.below(input.length + 1), 0, random.pick(dictionary) ?? randomBytes(random, 2)),
  (input, { random, dictionary }) => {
    const word = random.pick(dictionary) ?? randomBytes(random, 4);
    return replaced(input, random.below(input.length + 1), word.length, word);
  },
  /** A part of another input instead of a part of this one. */
  (input, { random }, other) => {
    const to = range(input, random);
    const from = range(other, random);
    return replaced(input, to.at, to.bytes, other.slice(from.at, from.at + from.bytes));
  },
  (input, { random }, other) => {
    const cut = random.below(Math.min(input.length, other.length) + 1);
    return replaced(input, cut, input.length, other.slice(cut));
  },
];

const textMutations: readonly Mutation[] = [
  (input, { random }, other) => mutateLines(input, other, random),
  (input, { random, dictionary }) => replaceToken(input, random, random.pick(dictionary)),
  (input, { random }) => replaceNumber(input, random),
  /** A long run of what separates: what a pattern that goes back would stumble over. */
  (input, { random }) => {
    const unit = random.pick([
      ' ',
      '\t',
      ' \r\n',
      ';',
      ',',
      '=',
      '"',
      '<',
      '/',
      '%',
      '1',
      'a',
      'a=',
      '\u2028',
    ]);
    const run = Buffer.from(unit.repeat(random.pick(repeats)));
    return replaced(input, random.below(input.length + 1), 0, run);
  },
];

/** What stands between separators, as text. */
function tokenAt(input: Uint8Array, random: Random, pattern: RegExp): { at: number; bytes: number } {
  const from = random.below(input.length);
  // latin1: one character for each byte, so that positions agree.
  const text = Buffer.from(input.buffer, input.byteOffset, input.length).toString('latin1', from);
  const match = pattern.exec(text.slice(0, 4096));
  return match === null ? { at: from, bytes: 0 } : { at: from + match.index, bytes: match[0].length };
}

function replaceToken(input: Uint8Array, random: Random, word: Uint8Array | undefined): Uint8Array {
  const { at, bytes } = tokenAt(input, random, /[^\s:;,=<>"/@]+/);
  return replaced(input, at, bytes, word ?? new Uint8Array(0));
}

const numbers = ['0', '1', '-1', '255', '256', '65535', '65536', '2147483647', '2147483648', '4294967295']
  .concat(['4294967296', '9007199254740993', '99999999999999999999', '1e9', '0x10', '00', '', '3.5', '+1'])
  .map((text) => Buffer.from(text));

function replaceNumber(input: Uint8Array, random: Random): Uint8Array {
  const { at, bytes } = tokenAt(input, random, /\d+/);
  const number = random.oneIn(3) ? Buffer.from(String(random.below(2 ** 31))) : random.pick(numbers);
  return replaced(input, at, bytes, number);
}
