import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { QuietWatch } from './quiet-collection.ts';

const MB = 1 << 20;

/** Looks every 5 s at an old generation of so many MB. @returns by how many it was due first, 0 for never */
function dueAt(watch: QuietWatch, megabytes: readonly number[]): number {
  for (const [at, each] of megabytes.entries()) {
    watch.look(each * MB, at * 5000);
    if (watch.isDue) return at + 1;
  }
  return 0;
}

test('a collection is due 40 s behind the last growth', () => {
  assert.equal(dueAt(new QuietWatch(), [45, 50, 60, ...new Array(20).fill(60)]), 3 + 8);
});

test('none is due while it grows, nor where it grew by little', () => {
  assert.equal(
    dueAt(
      new QuietWatch(),
      Array.from({ length: 100 }, (_, at) => 45 + at),
    ),
    0,
  );
  assert.equal(
    dueAt(
      new QuietWatch(),
      Array.from({ length: 100 }, () => 6),
    ),
    0,
  );
});

test('what V8 collected meanwhile does not make it small', () => {
  assert.equal(dueAt(new QuietWatch(), [45, 50, 60, 48, ...new Array(20).fill(48)]), 3 + 8);
});

test('the next one is due once it has grown by as much again', () => {
  const watch = new QuietWatch();
  dueAt(watch, [60, ...new Array(20).fill(60)]);
  watch.collected();
  assert.equal(watch.isDue, false);
  assert.equal(dueAt(watch, [50, 54, 56, ...new Array(20).fill(56)]), 0);
  assert.equal(dueAt(watch, [60, ...new Array(20).fill(60)]), 1 + 8);
});

test('garbage of an old generation is gone', () => {
  const script = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { getHeapStatistics } from 'node:v8';
    import { FakeClock } from '${new URL('./clock.ts', import.meta.url).href}';
    import { boundOldGeneration } from '${new URL('./old-generation.ts', import.meta.url).href}';
    import { boundYoungGeneration } from '${new URL('./young-generation.ts', import.meta.url).href}';
    import { collectWhenQuiet } from '${new URL('./quiet-collection.ts', import.meta.url).href}';
    boundOldGeneration();
    boundYoungGeneration();
    const clock = new FakeClock();
    collectWhenQuiet(clock);
    const make = (count) => Array.from({ length: count }, (_, at) => ({ at, text: 'garbage ' + at }));
    globalThis.kept = make(400_000);
    globalThis.garbage = make(50_000);
    clock.advanceMs(5000);
    const before = getHeapStatistics().used_heap_size;
    globalThis.garbage = undefined;
    let after = before;
    for (let waits = 0; waits < 3000 && before - after < 3e6; waits++) {
      clock.advanceMs(500);
      await sleep(20);
      after = getHeapStatistics().used_heap_size;
    }
    console.log(before - after);`;
  const gone = Number(
    execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
      {
        encoding: 'utf8',
      },
    ),
  );
  assert.ok(gone > 3e6, String(gone));
});
