/** Where a value of a JSON text begins, and where its parts do. */
export interface JsonPlace {
  offset: number;
  /** By key or index; of a key that stands twice the last one, as `JSON.parse` has it. */
  parts: Map<string | number, JsonPlace>;
}

export type JsonPlaces = { root: JsonPlace } | { mistake: string; offset: number };

interface Container extends JsonPlace {
  /** Of the value that comes next: an index in an array, a name in an object. */
  key: string | number;
}

type Expected =
  | 'a value'
  | 'a value or ]'
  | 'a name in double quotes'
  | 'a name in double quotes or }'
  | ':'
  | ', or ]'
  | ', or }'
  | 'nothing more';

const sign = /[{}[\],:]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const string = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/;
const word = /(?:true|false|null)(?!\w)/;
const token = new RegExp(`(${sign.source})|(${string.source})|(${number.source}|${word.source})`, 'y');
const space = /[ \t\n\r]*/y;

/** A JSON text (RFC 8259) as the places of its values, or its first mistake. */
export function jsonPlaces(text: string): JsonPlaces {
  return new PlaceReader(text).read();
}

class PlaceReader {
  readonly #text: string;
  readonly #open: Container[] = [];
  #root: JsonPlace | undefined;
  #expected: Expected = 'a value';

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonPlaces {
    for (let at = 0; ; ) {
      space.lastIndex = at;
      space.test(this.#text);
      const offset = space.lastIndex;
      if (offset === this.#text.length) break;
      token.lastIndex = offset;
      const match = token.exec(this.#text);
      const [, sign, string, other] = match ?? [];
      const expected = this.#expected;
      if (!this.#take(offset, sign, string, other)) return { offset, mistake: mistakeOf(expected) };
      at = token.lastIndex;
    }
    return this.#root && this.#expected === 'nothing more'
      ? { root: this.#root }
      : { offset: this.#text.length, mistake: `${mistakeOf(this.#expected)}, and here the text ends` };
  }

  /** @returns whether the token may stand here; all undefined: it is none */
  #take(offset: number, sign?: string, string?: string, other?: string): boolean {
    switch (this.#expected) {
      case ':':
        this.#expected = 'a value';
        return sign === ':';
      case ', or ]':
        return sign === ',' ? this.#next('a value') : sign === ']' && this.#close();
      case ', or }':
        return sign === ',' ? this.#next('a name in double quotes') : sign === '}' && this.#close();
      case 'a name in double quotes or }':
        return sign === '}' ? this.#close() : this.#key(string);
      case 'a name in double quotes':
        return this.#key(string);
      case 'a value or ]':
        return sign === ']' ? this.#close() : this.#value(offset, sign, string ?? other);
      case 'a value':
        return this.#value(offset, sign, string ?? other);
      case 'nothing more':
        return false;
    }
  }

  #key(string: string | undefined): boolean {
    const container = this.#open.at(-1);
    if (string === undefined || !container) return false;
    container.key = JSON.parse(string) as string;
    this.#expected = ':';
    return true;
  }

  #next(expected: Expected): boolean {
    const container = this.#open.at(-1);
    if (typeof container?.key === 'number') container.key++;
    this.#expected = expected;
    return true;
  }

  #value(offset: number, sign: string | undefined, scalar: string | undefined): boolean {
    if (scalar !== undefined) {
      this.#place({ offset, parts: new Map() });
      this.#valueEnded();
      return true;
    }
    if (sign !== '{' && sign !== '[') return false;
    const isArray = sign === '[';
    const container: Container = { offset, parts: new Map(), key: isArray ? 0 : '' };
    this.#place(container);
    this.#open.push(container);
    this.#expected = isArray ? 'a value or ]' : 'a name in double quotes or }';
    return true;
  }

  #place(place: JsonPlace): void {
    const container = this.#open.at(-1);
    if (container) container.parts.set(container.key, place);
    else this.#root = place;
  }

  #close(): boolean {
    this.#open.pop();
    this.#valueEnded();
    return true;
  }

  #valueEnded(): void {
    const container = this.#open.at(-1);
    if (!container) this.#expected = 'nothing more';
    else this.#expected = typeof container.key === 'number' ? ', or ]' : ', or }';
  }
}

function mistakeOf(expected: Expected): string {
  return `not JSON: expected ${expected}`;
}
