/** English only: what a recogniser writes for numbers that are spoken. */
const units = new Map(
  ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'].map((word, value) => [
    word,
    value,
  ]),
).set('oh', 0);
const teens = new Map(
  [
    ...['ten', 'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen'],
    ...['eighteen', 'nineteen'],
  ].map((word, index) => [word, 10 + index]),
);
const tens = new Map(
  ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'].map((word, index) => [
    word,
    20 + 10 * index,
  ]),
).set('fourty', 40);
const scales = new Map([
  ['thousand', 1000],
  ['million', 1_000_000],
  ['billion', 1_000_000_000],
]);
const repetitions = new Map([
  ['double', 2],
  ['triple', 3],
]);
/** What people say around a number. */
const fillers: ReadonlySet<string> = new Set(
  "uh um er well yes yeah okay ok please thanks it it's its is the number that's that my i'd like".split(' '),
);

const maxWords = 100;

/**
 * A number or a sequence of digits, as the digits of which it is: "forty four" and "four four" are 44, "zero zero" is
 * 00, "one hundred and five" is 105, "nineteen eighty four" is 1984.
 * @returns undefined for anything else
 */
export function spokenDigits(text: string): string | undefined {
  const words = wordsOf(text);
  while (fillers.has(words.at(0) ?? '')) words.shift();
  while (fillers.has(words.at(-1) ?? '')) words.pop();
  if (words.length === 0 || words.length > maxWords) return undefined;
  const reader = new NumberReader(words);
  let digits = '';
  while (!reader.isAtEnd) {
    const next = reader.next();
    if (next === undefined) return undefined;
    digits += next;
  }
  return digits;
}

function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      // 1,234 is one number; "4, 1" are two.
      .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
      .replace(/[^a-z0-9' ]+/g, ' ')
      .split(' ')
      .filter((word) => word !== '')
  );
}

class NumberReader {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  /** The next number, as digits. */
  next(): string | undefined {
    const times = repetitions.get(this.#word());
    if (times !== undefined) {
      this.#at++;
      const unit = this.#take(units);
      return unit === undefined ? undefined : String(unit).repeat(times);
    }
    if (/^\d+$/.test(this.#word()) && !this.#isScaled(1)) return this.#words[this.#at++];
    return this.#large()?.toString();
  }

  /** Thousands and more, in falling order. */
  #large(): number | undefined {
    let total: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (;;) {
      const before = this.#at;
      if (total !== undefined && this.#word() === 'and') this.#at++;
      const part = this.#hundreds();
      const scale = part === undefined ? undefined : (this.#take(scales) ?? 1);
      const follows = total === undefined || (scale !== undefined && scale < least && part !== 0);
      if (part === undefined || scale === undefined || !follows) {
        this.#at = before;
        return total;
      }
      total = (total ?? 0) + part * scale;
      least = scale;
      if (scale === 1) return total;
    }
  }

  #hundreds(): number | undefined {
    const small = this.#small();
    if (small === undefined || small === 0 || this.#word() !== 'hundred') return small;
    this.#at++;
    const before = this.#at;
    if (this.#word() === 'and') this.#at++;
    const rest = this.#small();
    if (rest) return small * 100 + rest;
    this.#at = before;
    return small * 100;
  }

  /** Up to 99; or figures, in front of a scale. */
  #small(): number | undefined {
    if (/^\d{1,3}$/.test(this.#word())) return Number(this.#words[this.#at++]);
    const ten = this.#take(tens);
    if (ten === undefined) return this.#take(teens) ?? this.#take(units);
    const unit = units.get(this.#word());
    if (!unit) return ten;
    this.#at++;
    return ten + unit;
  }

  #isScaled(ahead: number): boolean {
    const word = this.#words[this.#at + ahead] ?? '';
    return word === 'hundred' || scales.has(word);
  }

  #take(values: ReadonlyMap<string, number>): number | undefined {
    const value = values.get(this.#word());
    if (value !== undefined) this.#at++;
    return value;
  }

  #word(): string {
    return this.#words[this.#at] ?? '';
  }
}
