import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/**
 * Of what is made, 8 MB are kept at once, until they are old: old generations are collected meanwhile, and the young one
 * has room beyond its two halves then. Tells how large a half was at most.
 */
const makesGarbage = `
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8');
  const kept = [];
  let mostBytes = 0;
  for (let made = 0; made < 40_000; made++) {
    kept[made % 1000] = new Array(1024).fill(made);
    if (made % 50 !== 0) continue;
    const { space_size: all, space_used_size: used, space_available_size: available } =
      getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    const half = used + available;
    if (Math.abs(all - 2 * half) < 4096) mostBytes = Math.max(mostBytes, half);
  }
  process.getBuiltinModule('node:worker_threads').parentPort.postMessage(mostBytes);`;

/** @returns bytes of one half, of a thread that is started behind `begin` */
function youngBytes(begin: string): number {
  const script = `
    import { Worker } from 'node:worker_threads';
    import { boundOldGeneration } from '${new URL('./old-generation.ts', import.meta.url).href}';
    import { boundYoungGeneration, letYoungGenerationsGrow } from '${new URL('./young-generation.ts', import.meta.url).href}';
    boundOldGeneration();
    boundYoungGeneration();
    ${begin}
    new Worker(${JSON.stringify(makesGarbage)}, { eval: true }).on('message', (bytes) => console.log(bytes));`;
  return Number(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }),
  );
}

test('threads that are started then have a young generation of 1 MB, for good', () => {
  const bytes = youngBytes('');
  assert.ok(bytes > 0.9 * 2 ** 20 && bytes <= 2 ** 20, String(bytes));
});

test('once they may grow, those that keep much have one of 2 MB', () => {
  const bytes = youngBytes('letYoungGenerationsGrow();');
  assert.ok(bytes > 1.8 * 2 ** 20 && bytes <= 2 ** 21, String(bytes));
});
