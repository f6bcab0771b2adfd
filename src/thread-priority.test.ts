import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

test('helper threads of V8 stand back, the main thread does not', () => {
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { getPriority } from 'node:os';
    const { lowerHelperThreads } = await import('${new URL('./thread-priority.ts', import.meta.url).href}');
    const before = getPriority();
    lowerHelperThreads();
    const niceOf = (name) => readdirSync('/proc/self/task')
      .filter((thread) => readFileSync('/proc/self/task/' + thread + '/comm', 'utf8').trim() === name)
      .map((thread) => getPriority(Number(thread)) - before);
    console.log(JSON.stringify({ helpers: niceOf('node-V8Worker'), main: niceOf('node-MainThread') }));`;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { helpers, main } = JSON.parse(told) as Record<string, number[]>;
  assert.ok(helpers!.length > 0);
  assert.ok(helpers!.every((nice) => nice === 10));
  assert.deepEqual(main, [0]);
});

test('the media thread goes ahead where the system lets it, and goes on as it is elsewhere; others stay', () => {
  const script = `
    import { getPriority } from 'node:os';
    import { Worker } from 'node:worker_threads';
    const thread = new Worker(\`
      const { getPriority, setPriority } = process.getBuiltinModule('node:os');
      import('${new URL('./thread-priority.ts', import.meta.url).href}').then(({ raiseMediaThread }) => {
        const before = getPriority();
        raiseMediaThread();
        const after = getPriority();
        let isLet = true;
        try { setPriority(-11); } catch { isLet = false; }
        process.getBuiltinModule('node:worker_threads').parentPort.postMessage({ before, after, isLet });
      });\`, { eval: true });
    const before = getPriority();
    thread.on('message', (told) => console.log(JSON.stringify({ ...told, others: getPriority() - before })));`;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { before, after, isLet, others } = JSON.parse(told) as Record<string, number>;
  assert.equal(after, isLet ? -10 : before);
  assert.equal(others, 0);
});
