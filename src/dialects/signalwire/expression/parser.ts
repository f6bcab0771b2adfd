import { ExpressionSyntaxError, type Token, tokensOf } from './tokens.ts';

export type Node =
  | { kind: 'literal'; value: string | number | boolean | null | undefined }
  | { kind: 'name'; name: string }
  | { kind: 'text'; parts: readonly Node[] }
  | { kind: 'member'; object: Node; key: Node; optional: boolean }
  | { kind: 'call'; callee: Node; arguments: readonly Node[]; optional: boolean }
  | { kind: 'unary'; sign: UnarySign; operand: Node }
  | { kind: 'binary'; sign: BinarySign; left: Node; right: Node }
  | { kind: 'choice'; condition: Node; yes: Node; no: Node }
  | { kind: 'list'; items: readonly Node[] }
  | { kind: 'object'; entries: readonly { key: Node; value: Node }[] }
  | { kind: 'function'; parameters: readonly string[]; body: Node };

export type UnarySign = '!' | '-' | '+' | 'typeof';
const binarySigns = {
  '??': 1,
  '||': 2,
  '&&': 3,
  '==': 4,
  '!=': 4,
  '===': 4,
  '!==': 4,
  '<': 5,
  '>': 5,
  '<=': 5,
  '>=': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
  '**': 8,
} as const;
export type BinarySign = keyof typeof binarySigns;

/** The vendor's: "keep expressions under 1,024 characters". */
export const maxExpressionCharacters = 1024;
const maxDepth = 64;

type Constant = Extract<Node, { kind: 'literal' }>['value'];

const constants: ReadonlyMap<string, Constant> = new Map<string, Constant>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
]);

/** Words of JavaScript that are no names; what they do is not in the grammar. */
const reserved = new Set(
  'async await break case catch class const continue debugger default delete do else enum export extends finally for function if import in instanceof let new return static super switch this throw try var void while with yield'.split(
    ' ',
  ),
);

/**
 * One JavaScript expression: no statement, no assignment, no `new`, no regular expression.
 * @throws ExpressionSyntaxError
 */
export function parseExpression(source: string): Node {
  return new Parser(source, 0).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth: number;

  constructor(source: string, depth: number) {
    if (source.length > maxExpressionCharacters)
      throw new ExpressionSyntaxError(
        `longer than ${maxExpressionCharacters} characters`,
        maxExpressionCharacters,
      );
    this.#tokens = tokensOf(source);
    this.#depth = depth;
  }

  whole(): Node {
    const node = this.#expression();
    const rest = this.#token;
    if (rest.kind !== 'end') throw new ExpressionSyntaxError(`${named(rest)} is not expected`, rest.at);
    return node;
  }

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #isSign(value: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === 'sign' && token.value === value;
  }

  #take(value: string): boolean {
    if (!this.#isSign(value)) return false;
    this.#at++;
    return true;
  }

  #expect(value: string): void {
    if (this.#take(value)) return;
    throw new ExpressionSyntaxError(
      `"${value}" is expected instead of ${named(this.#token)}`,
      this.#token.at,
    );
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > maxDepth)
      throw new ExpressionSyntaxError(`nested deeper than ${maxDepth} levels`, this.#token.at);
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  #expression(): Node {
    return this.#nested(() => {
      const parameters = this.#arrowParameters();
      if (parameters) return { kind: 'function', parameters, body: this.#expression() };
      const condition = this.#binary(0);
      if (!this.#take('?')) return condition;
      const yes = this.#expression();
      this.#expect(':');
      return { kind: 'choice', condition, yes, no: this.#expression() };
    });
  }

  /** `x =>` and `(a, b) =>`; takes nothing where neither stands. */
  #arrowParameters(): string[] | undefined {
    const names: string[] = [];
    let ahead = 0;
    const token = (): Token | undefined => this.#tokens[this.#at + ahead];
    const name = (): boolean => {
      const each = token();
      if (each?.kind !== 'name') return false;
      names.push(each.value);
      ahead++;
      return true;
    };
    if (this.#isSign('(')) {
      ahead++;
      while (name() && this.#isSign(',', ahead)) ahead++;
      if (!this.#isSign(')', ahead)) return undefined;
      ahead++;
    } else if (!name()) return undefined;
    if (!this.#isSign('=>', ahead)) return undefined;
    this.#at += ahead + 1;
    return names;
  }

  #binary(least: number): Node {
    let left = this.#unary();
    for (;;) {
      const token = this.#token;
      const strength =
        token.kind === 'sign' && token.value in binarySigns && binarySigns[token.value as BinarySign];
      if (!strength || strength <= least) return left;
      this.#at++;
      const sign = (token as { value: BinarySign }).value;
      const below = sign === '**' ? strength - 1 : strength;
      const before = left;
      left = this.#nested(() => ({ kind: 'binary', sign, left: before, right: this.#binary(below) }));
    }
  }

  #unary(): Node {
    const token = this.#token;
    const isTypeof = token.kind === 'name' && token.value === 'typeof';
    if (!isTypeof && !(token.kind === 'sign' && '!-+'.includes(token.value))) return this.#postfix();
    this.#at++;
    const sign = (token as { value: UnarySign }).value;
    return this.#nested(() => ({ kind: 'unary', sign, operand: this.#unary() }));
  }

  #postfix(): Node {
    let node = this.#primary();
    for (let links = 0; links <= maxDepth; links++) {
      const optional = this.#take('?.');
      const object = node;
      if (this.#take('[')) {
        node = { kind: 'member', object, key: this.#expression(), optional };
        this.#expect(']');
      } else if (this.#take('('))
        node = { kind: 'call', callee: object, arguments: this.#list(')'), optional };
      else if (optional || this.#take('.'))
        node = { kind: 'member', object, key: { kind: 'literal', value: this.#memberName() }, optional };
      else return node;
    }
    throw new ExpressionSyntaxError(`a chain of more than ${maxDepth} links`, this.#token.at);
  }

  #memberName(): string {
    const token = this.#token;
    if (token.kind !== 'name')
      throw new ExpressionSyntaxError(`a name is expected instead of ${named(token)}`, token.at);
    this.#at++;
    return token.value;
  }

  /** Up to the closing sign, which is taken. */
  #list(close: string): Node[] {
    const items: Node[] = [];
    while (!this.#take(close)) {
      items.push(this.#expression());
      if (!this.#isSign(close)) this.#expect(',');
    }
    return items;
  }

  #primary(): Node {
    const token = this.#token;
    this.#at++;
    switch (token.kind) {
      case 'number':
        return { kind: 'literal', value: token.value };
      case 'text':
        return this.#text(token.parts);
      case 'embedded':
        return this.#embedded(token.source);
      case 'name':
        return this.#name(token.value, token.at);
      case 'end':
        throw new ExpressionSyntaxError('the expression is incomplete', token.at);
      case 'sign':
        return this.#bracketed(token.value, token.at);
    }
  }

  #name(name: string, at: number): Node {
    if (constants.has(name)) return { kind: 'literal', value: constants.get(name) };
    if (reserved.has(name)) throw new ExpressionSyntaxError(`"${name}" can't be used in expressions`, at);
    return { kind: 'name', name };
  }

  #bracketed(sign: string, at: number): Node {
    if (sign === '(') {
      const node = this.#expression();
      this.#expect(')');
      return node;
    }
    if (sign === '[') return { kind: 'list', items: this.#list(']') };
    if (sign === '{') return { kind: 'object', entries: this.#entries() };
    if (sign === '/') throw new ExpressionSyntaxError("regular expressions can't be used in expressions", at);
    throw new ExpressionSyntaxError(`"${sign}" is not expected`, at);
  }

  #entries(): { key: Node; value: Node }[] {
    const entries: { key: Node; value: Node }[] = [];
    while (!this.#take('}')) {
      const token = this.#token;
      const key = this.#take('[') ? this.#expression() : this.#key(token);
      if (token.kind === 'sign') this.#expect(']');
      const isShort = token.kind === 'name' && !this.#isSign(':');
      if (!isShort) this.#expect(':');
      entries.push({ key, value: isShort ? this.#name(token.value, token.at) : this.#expression() });
      if (!this.#isSign('}')) this.#expect(',');
    }
    return entries;
  }

  #key(token: Token): Node {
    this.#at++;
    if (token.kind === 'name') return { kind: 'literal', value: token.value };
    if (token.kind === 'number') return { kind: 'literal', value: String(token.value) };
    if (token.kind === 'text') return this.#text(token.parts);
    throw new ExpressionSyntaxError(`a key is expected instead of ${named(token)}`, token.at);
  }

  #text(parts: readonly string[]): Node {
    if (parts.length === 1) return { kind: 'literal', value: parts[0] };
    return {
      kind: 'text',
      parts: parts.map((part, index) =>
        index % 2 === 0 ? { kind: 'literal', value: part } : this.#embedded(part),
      ),
    };
  }

  #embedded(source: string): Node {
    return new Parser(source, this.#depth + 1).whole();
  }
}

function named(token: Token): string {
  if (token.kind === 'end') return 'the end';
  if (token.kind === 'name' || token.kind === 'sign') return `"${token.value}"`;
  return token.kind === 'number' ? `${token.value}` : 'a text';
}
