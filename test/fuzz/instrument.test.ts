import assert from 'node:assert/strict';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { type CoveragePoint, hitsName, instrument } from './instrument.ts';

const source = `
const twice = (n: number): number => n * 2;
function kind(n: number, others: readonly number[] = []): string {
  if (n < 0) return 'negative';
  else if (n === 0) { return 'zero'; }
  for (const other of others) if (other === n) return 'known';
  switch (n) {
    case 1: case 2:
      return n === 1 ? 'one' : 'two';
    default:
  }
  return (n > 100 && twice(n) > 300) || n === 77 ? 'large' : 'other';
}
class Box {
  #value?: number;
  get value(): number { return this.#value ?? 0; }
}
`;

/** The names of what the source defines, and the lines that were passed. */
function run(expression: string): { result: unknown; lines: number[] } {
  const points: CoveragePoint[] = [];
  const code = stripTypeScriptTypes(instrument(source, 'source.ts', points));
  const hits = new Uint32Array(points.length);
  const result = new Function(hitsName, `${code}\nreturn ${expression};`)(hits);
  return { result, lines: points.filter((_point, index) => hits[index]! > 0).map(({ line }) => line) };
}

for (const [expression, result, lines] of [
  ['kind(-1)', 'negative', [3, 4]],
  ['kind(0)', 'zero', [3, 5]],
  ['kind(3, [2, 3])', 'known', [3, 5, 6]],
  ['kind(2)', 'two', [3, 5, 9]],
  ['kind(77)', 'large', [3, 5, 12]],
  ['kind(200)', 'large', [2, 3, 5, 12]],
  ['new Box().value', 0, [16]],
] as const)
  test(`${expression} does what it did, and what it passed is counted`, () => {
    const outcome = run(expression);
    assert.equal(outcome.result, result);
    assert.deepEqual([...new Set(outcome.lines)], lines);
  });

test('every line stays where it was', () => {
  const code = instrument(source, 'source.ts', []);
  assert.equal(code.split('\n').length, source.split('\n').length);
});
