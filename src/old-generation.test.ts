import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Of what is made, 8 MB are kept at once: for so long that it gets old. */
const makesGarbage = `
  const { getHeapStatistics } = process.getBuiltinModule('node:v8');
  const kept = [];
  let mostBytes = 0;
  for (let made = 0; made < 40_000; made++) {
    kept[made % 1000] = new Array(1024).fill(made);
    mostBytes = Math.max(mostBytes, getHeapStatistics().total_heap_size);
  }
  process.getBuiltinModule('node:worker_threads').parentPort.postMessage(mostBytes);`;

function mostBytes(begin = ''): number {
  const script = `
    import { Worker } from 'node:worker_threads';
    ${begin}
    new Worker(${JSON.stringify(makesGarbage)}, { eval: true }).on('message', (bytes) => console.log(bytes));`;
  return Number(
    execFileSync(process.execPath, ['--single-threaded-gc', '--input-type=module', '--eval', script], {
      encoding: 'utf8',
    }),
  );
}

/** How far V8 lets a heap grow by itself depends on how fast it finds its collections to be: the most of some runs. */
const runs = 4;

test('threads that are started then have less garbage', () => {
  const bound = `
    import { boundOldGeneration } from '${new URL('./old-generation.ts', import.meta.url).href}';
    import { boundYoungGeneration } from '${new URL('./young-generation.ts', import.meta.url).href}';
    boundYoungGeneration();
    boundOldGeneration();`;
  const bounded = Math.max(mostBytes(bound), mostBytes(bound));
  let byItself = 0;
  for (let run = 0; run < runs && byItself * 0.7 <= bounded; run++)
    byItself = Math.max(byItself, mostBytes());
  assert.ok(bounded < byItself * 0.7, `${bounded} of ${byItself}`);
});
