import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CoveragePoint, hitsName, instrument } from './instrument.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const maxPoints = 1 << 15;

export interface FileCoverage {
  file: string;
  functions: { hit: number; all: number };
  branches: { hit: number; all: number };
}

/**
 * Counters in the files under test. Must be there before these are imported for the first time; each thread has its
 * own.
 */
export class Coverage {
  readonly points: CoveragePoint[] = [];
  readonly #hits = new Uint32Array(maxPoints);
  /** By point: which ranges of counts were seen. */
  readonly #seen = new Uint8Array(maxPoints);

  /** @param files relative to the repository, with `*` for any part of a name */
  constructor(files: readonly string[]) {
    Object.defineProperty(globalThis, hitsName, { value: this.#hits, configurable: true });
    const wanted = files.map(
      (file) => new RegExp(`^${file.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`),
    );
    registerHooks({
      load: (url, context, next) => {
        const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : '';
        if (!wanted.some((pattern) => pattern.test(file))) return next(url, context);
        const source = instrument(readFileSync(fileURLToPath(url), 'utf8'), file, this.points);
        return { ...next(url, context), source, shortCircuit: true };
      },
    });
  }

  /**
   * Takes what was counted since the last time and begins anew.
   * @returns how many points were passed as often as never before, in steps of powers of two; 0: nothing new
   */
  take(): number {
    let news = 0;
    for (let i = 0; i < this.points.length; i++) {
      const hits = this.#hits[i]!;
      if (hits === 0) continue;
      this.#hits[i] = 0;
      const bit = stepOf(hits);
      if ((this.#seen[i]! & bit) !== 0) continue;
      this.#seen[i]! |= bit;
      news++;
    }
    return news;
  }

  /** Points passed since the last `take`; the counts stay. */
  passed(): number[] {
    const passed: number[] = [];
    for (let i = 0; i < this.points.length; i++) if (this.#hits[i]! > 0) passed.push(i);
    return passed;
  }

  files(): FileCoverage[] {
    const files = new Map<string, FileCoverage>();
    this.points.forEach(({ file, kind }, index) => {
      let entry = files.get(file);
      if (entry === undefined)
        files.set(file, (entry = { file, functions: { hit: 0, all: 0 }, branches: { hit: 0, all: 0 } }));
      const sum = kind === 'function' ? entry.functions : entry.branches;
      sum.all++;
      if (this.#seen[index] !== 0) sum.hit++;
    });
    return [...files.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
  }

  /** `file:line` of what was never passed. */
  missed(): string[] {
    return this.points
      .filter((_point, index) => this.#seen[index] === 0)
      .map(({ file, line, kind }) => `${file}:${line} ${kind}`);
  }
}

/** One bit for 1, 2, 3, 4-7, 8-15, 16-63, 64-511 and more. */
function stepOf(hits: number): number {
  if (hits < 4) return 1 << (hits - 1);
  if (hits < 16) return hits < 8 ? 8 : 16;
  if (hits < 512) return hits < 64 ? 32 : 64;
  return 128;
}
