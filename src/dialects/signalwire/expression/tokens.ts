export type Token =
  | { kind: 'number'; value: number; at: number }
  /** `parts` alternates text and the source of `${...}` in it, beginning and ending with text. */
  | { kind: 'text'; parts: readonly string[]; at: number }
  /** `${...}` or `%{...}` within an expression stands for its value. */
  | { kind: 'embedded'; source: string; at: number }
  | { kind: 'name'; value: string; at: number }
  | { kind: 'sign'; value: string; at: number }
  | { kind: 'end'; at: number };

/** The expression is not of the grammar; `at` is the character. */
export class ExpressionSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'ExpressionSyntaxError';
    this.at = at;
  }
}

const signs = [
  ...['===', '!==', '...', '=>', '==', '!=', '<=', '>=', '&&', '||', '??', '?.', '**'],
  ...['+', '-', '*', '/', '%', '<', '>', '!', '?', ':', '.', ',', '(', ')', '[', ']', '{', '}'],
];
const numberForm = /(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const nameForm = /[A-Za-z_$][\w$]*/y;
const spaceForm = /\s+/y;
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  0: '\0',
};

export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const space = match(spaceForm, source, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const { token, end } = tokenAt(source, at);
    tokens.push(token);
    at = end;
  }
  tokens.push({ kind: 'end', at });
  return tokens;
}

function tokenAt(source: string, at: number): { token: Token; end: number } {
  const first = source[at]!;
  if ((first === '$' || first === '%') && source[at + 1] === '{') {
    const end = endOfBraces(source, at + 1);
    if (end === undefined) throw new ExpressionSyntaxError(`"${first}{" without its "}"`, at);
    return { token: { kind: 'embedded', source: source.slice(at + 2, end), at }, end: end + 1 };
  }
  if (first === '"' || first === "'" || first === '`') return textAt(source, at);
  const number = match(numberForm, source, at);
  if (number !== undefined)
    return { token: { kind: 'number', value: Number(number), at }, end: at + number.length };
  const name = match(nameForm, source, at);
  if (name !== undefined) return { token: { kind: 'name', value: name, at }, end: at + name.length };
  const sign = signs.find((each) => source.startsWith(each, at));
  if (sign === undefined) throw new ExpressionSyntaxError(`"${first}" is not understood`, at);
  return { token: { kind: 'sign', value: sign, at }, end: at + sign.length };
}

function match(form: RegExp, source: string, at: number): string | undefined {
  form.lastIndex = at;
  return form.exec(source)?.[0];
}

function textAt(source: string, at: number): { token: Token; end: number } {
  const quote = source[at];
  const parts = [''];
  let position = at + 1;
  while (position < source.length && source[position] !== quote) {
    const character = source[position]!;
    if (character === '\\') {
      const { text, end } = escapeAt(source, position);
      parts[parts.length - 1] += text;
      position = end;
      continue;
    }
    const end =
      (character === '$' || character === '%') &&
      source[position + 1] === '{' &&
      endOfBraces(source, position + 1);
    if (end) {
      parts.push(source.slice(position + 2, end), '');
      position = end + 1;
      continue;
    }
    parts[parts.length - 1] += character;
    position++;
  }
  if (position >= source.length) throw new ExpressionSyntaxError('a text without its closing quote', at);
  return { token: { kind: 'text', parts, at }, end: position + 1 };
}

function escapeAt(source: string, at: number): { text: string; end: number } {
  const letter = source[at + 1] ?? '';
  const hex = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,5})\})/.exec(
    source.slice(at + 1, at + 9),
  );
  const digits = hex?.[1] ?? hex?.[2] ?? hex?.[3];
  if (hex && digits)
    return { text: String.fromCodePoint(Number.parseInt(digits, 16)), end: at + 1 + hex[0].length };
  return { text: escapes[letter] ?? letter, end: at + 2 };
}

/** @returns where the `}` is that closes the `{` at `open`; braces in quotes do not count */
export function endOfBraces(source: string, open: number): number | undefined {
  let depth = 0;
  let quote: string | undefined;
  for (let at = open; at < source.length; at++) {
    const character = source[at]!;
    if (quote !== undefined) {
      if (character === '\\') at++;
      else if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'" || character === '`') quote = character;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return at;
  }
  return undefined;
}
