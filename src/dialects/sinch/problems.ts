import { SinchError, type SinchErrorCode, sinchCatalogue } from './errors.ts';

/** From the document's top: `['instructions', 0, 'options', 'format']`. */
export type Path = readonly (string | number)[];

/** One mistake of a SVAML object, for who wrote it. */
export interface Problem {
  /** A warning changes less than the document says, and stops nothing. */
  severity: 'error' | 'warning';
  code: SinchErrorCode;
  message: string;
  /** What to do about it. */
  todo: string;
  /** `instructions[0].options.format`; empty where the text itself can't be read. */
  path: string;
  /** From 1; 0 for a document that came as an object. */
  line: number;
  column: number;
}

export interface Place {
  line: number;
  column: number;
}

const maxProblems = 100;
const maxMessageCharacters = 500;
const maxKeyCharacters = 100;

/** `instructions[0].options.format` */
export function formatPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? key : key.slice(0, maxKeyCharacters)))
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

/** What is wrong with one document, as it is found. */
export class Problems {
  readonly #found: Problem[] = [];
  readonly #placeOf: (path: Path) => Place;

  constructor(placeOf: (path: Path) => Place = () => ({ line: 0, column: 0 })) {
    this.#placeOf = placeOf;
  }

  /** By their place. */
  get all(): readonly Problem[] {
    return this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  get hasErrors(): boolean {
    return this.#found.some(({ severity }) => severity === 'error');
  }

  error(code: SinchErrorCode, message: string, path: Path): void {
    if (this.#found.length < 2 * maxProblems) this.#add('error', code, message, path);
  }

  warn(message: string, path: Path, code: SinchErrorCode = 40003): void {
    if (this.#found.length < maxProblems) this.#add('warning', code, message, path);
  }

  /** @throws SinchError the first error */
  throwFirst(): void {
    const first = this.all.find(({ severity }) => severity === 'error');
    if (!first) return;
    throw new SinchError(first.code, first.path === '' ? first.message : `${first.path}: ${first.message}`);
  }

  #add(severity: Problem['severity'], code: SinchErrorCode, message: string, path: Path): void {
    const short =
      message.length <= maxMessageCharacters ? message : `${message.slice(0, maxMessageCharacters)}...`;
    const { todo } = sinchCatalogue[code];
    this.#found.push({
      severity,
      code,
      message: short,
      todo,
      path: formatPath(path),
      ...this.#placeOf(path),
    });
  }
}
