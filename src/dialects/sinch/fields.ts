import type { Path, Problems } from './problems.ts';

interface TextLimits {
  max?: number;
  min?: number;
  form?: RegExp;
  /** Completes "... is expected". */
  expected?: string;
}

interface NumberLimits {
  min: number;
  max: number;
}

const maxTextCharacters = 8192;
const shownCharacters = 60;

/**
 * Reads one object of a document field by field, and goes on after a mistake. Null is as good as absent; the names of
 * fields are the vendor's to the letter.
 */
export class Fields {
  readonly path: Path;
  readonly problems: Problems;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  constructor(object: Readonly<Record<string, unknown>>, path: Path, problems: Problems) {
    this.#object = object;
    this.path = path;
    this.problems = problems;
  }

  /** Undefined where it is no object, and that is a problem. */
  static of(value: unknown, path: Path, problems: Problems): Fields | undefined {
    if (isObject(value)) return new Fields(value, path, problems);
    // A text in the place of options may be a secret.
    const what = typeof value === 'string' ? 'a text' : shown(value);
    problems.error(40001, `an object is expected, not ${what}`, path);
    return undefined;
  }

  at(name: string): Path {
    return [...this.path, name];
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  raw(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  text(name: string, limits: TextLimits = {}): string | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' && typeof value !== 'number')
      return this.refuse(name, `a text is expected, not ${shown(value)}`);
    const text = String(value);
    const { max = maxTextCharacters, min = 0, form, expected } = limits;
    if (text.includes('\0') || !text.isWellFormed())
      return this.refuse(name, 'NUL or half a surrogate pair stands in it');
    if (text.length > max) return this.refuse(name, `longer than ${max} characters`);
    if (text.length < min || (form && !form.test(text)))
      return this.refuse(name, `${expected ?? 'a text'} is expected, not ${shown(text)}`);
    return text;
  }

  required(name: string, limits: TextLimits = {}): string | undefined {
    if (this.has(name)) return this.text(name, limits);
    this.missing(name);
    return undefined;
  }

  /** A whole number, or its text. */
  number(name: string, { min, max }: NumberLimits): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const read = typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;
    if (typeof read === 'number' && Number.isInteger(read) && read >= min && read <= max) return read;
    return this.refuse(name, `a whole number from ${min} to ${max} is expected, not ${shown(value)}`);
  }

  /** True and false, or their texts. */
  flag(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value;
    if (typeof value === 'string' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true';
    return this.refuse(name, `true or false is expected, not ${shown(value)}`);
  }

  /** In any case. */
  oneOf<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const chosen =
      typeof value === 'string'
        ? choices.find((choice) => choice.toLowerCase() === value.toLowerCase())
        : undefined;
    return chosen ?? this.refuse(name, `${choices.join(', ')} is expected, not ${shown(value)}`);
  }

  list(name: string, max: number): readonly unknown[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.refuse(name, `a list is expected, not ${shown(value)}`);
    return value.length <= max ? value : this.refuse(name, `more than ${max} entries`);
  }

  /** An object within it; a list of one is as good, as the vendor's examples write `options`. */
  object(name: string): Fields | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const alone = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return Fields.of(alone, this.at(name), this.problems);
  }

  /** An empty object in the place of one that is not there. */
  nothing(name: string): Fields {
    return new Fields({}, this.at(name), this.problems);
  }

  missing(name: string): void {
    this.problems.error(40002, `"${name}" is missing`, this.at(name));
  }

  refuse(name: string, message: string): undefined {
    this.problems.error(40001, message, this.at(name));
  }

  warn(name: string, message: string): void {
    this.problems.warn(message, this.at(name));
  }

  /** Known, and without effect. */
  ineffective(name: string, why: string): void {
    if (this.has(name)) this.warn(name, why);
  }

  /** The vendor takes what it does not know; who mistyped a name likes to hear of it. */
  end(): void {
    for (const name of Object.keys(this.#object))
      if (!this.#known.has(name))
        this.problems.warn(
          `"${name.slice(0, shownCharacters)}" is not known here, and ignored`,
          this.at(name),
        );
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As an error names it: short, and never an object's or a list's content, where a secret may stand. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const text = String(JSON.stringify(value)).replaceAll(/\/\/[^/"]*@/g, '//***@');
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text;
}
