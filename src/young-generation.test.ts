import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Of what is made, 8 MB are kept at once, until they are old: old generations are collected meanwhile. */
const makesGarbage = `
  const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8');
  const kept = [];
  for (let made = 0; made < 40_000; made++) kept[made % 1000] = new Array(1024).fill(made);
  const { space_used_size: used, space_available_size: available } =
    getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  process.getBuiltinModule('node:worker_threads').parentPort.postMessage(used + available);`;

test('threads that are started then have a young generation of 1 MB, from the beginning to the end', () => {
  const script = `
    import { Worker } from 'node:worker_threads';
    import { boundOldGeneration } from '${new URL('./old-generation.ts', import.meta.url).href}';
    import { boundYoungGeneration } from '${new URL('./young-generation.ts', import.meta.url).href}';
    boundOldGeneration();
    boundYoungGeneration();
    new Worker(${JSON.stringify(makesGarbage)}, { eval: true }).on('message', (bytes) => console.log(bytes));`;
  const bytes = Number(
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }),
  );
  assert.ok(bytes > 0.9 * 2 ** 20 && bytes <= 2 ** 20, String(bytes));
});
