import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { QuietWatch } from './quiet-collection.ts';

const MB = 1 << 20;

/** Looks every 5 s at an old generation of so many MB. @returns by how many it was due first, 0 for never */
function dueAt(watch: QuietWatch, megabytes: readonly number[], looksBefore = 0): number {
  for (const [at, each] of megabytes.entries()) {
    watch.look(each * MB, (looksBefore + at) * 5000);
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
      Array.from({ length: 100 }, (_, at) => 45 + 3 * at),
    ),
    0,
  );
  assert.equal(
    dueAt(
      new QuietWatch(),
      Array.from({ length: 100 }, () => 2),
    ),
    0,
  );
});

test('what is there at the first look is kept; less than an eighth of it is not worth a collection', () => {
  assert.equal(dueAt(new QuietWatch(), new Array(20).fill(45)), 0);
  assert.equal(dueAt(new QuietWatch(), [45, ...new Array(20).fill(51)]), 0);
  assert.equal(dueAt(new QuietWatch(), [45, ...new Array(20).fill(52)]), 2 + 8);
  assert.equal(dueAt(new QuietWatch(), [12, ...new Array(20).fill(14.5)]), 0);
  assert.equal(dueAt(new QuietWatch(), [12, ...new Array(20).fill(15)]), 1 + 8 + 1);
});

test('what V8 collected meanwhile does not make it small', () => {
  assert.equal(dueAt(new QuietWatch(), [45, 50, 60, 48, ...new Array(20).fill(48)]), 3 + 8);
});

test('the next one is due once it has grown by as much again', () => {
  const watch = new QuietWatch();
  dueAt(watch, [45, 60, ...new Array(20).fill(60)]);
  watch.ended(true, 40_000);
  assert.equal(watch.isDue, false);
  assert.equal(dueAt(watch, [50, 51, 52, ...new Array(20).fill(52)], 9), 0);
  assert.equal(dueAt(watch, [60, ...new Array(20).fill(60)], 32), 1 + 8);
});

test('there is a minute between two, however much was made', () => {
  const watch = new QuietWatch();
  // 2 MB in 5 s: not busy by that.
  const growing = Array.from({ length: 30 }, (_, at) => 50 + 2 * at);
  assert.equal(dueAt(watch, growing), 5);
  watch.ended(true, 41_000);
  for (const [at, each] of growing.entries()) {
    watch.look(each * MB, (9 + at) * 5000);
    assert.equal(watch.isDue, at >= 12, String(at));
  }
});

test('one that came to nothing is tried again a minute later', () => {
  const watch = new QuietWatch();
  const looks = [45, ...new Array(30).fill(60)];
  assert.equal(dueAt(watch, looks), 2 + 8);
  watch.ended(false, 45_000);
  assert.equal(dueAt(watch, looks.slice(10), 10), 12);
});

test('a thread that is to be collected seldom is so behind a burst all the same', () => {
  const watch = new QuietWatch({ pauseMs: 200_000 });
  assert.equal(dueAt(watch, [45, ...new Array(20).fill(60)]), 2 + 8);
  watch.ended(true, 45_000);
  const growing = Array.from({ length: 100 }, (_, at) => 60 + at);
  assert.equal(dueAt(watch, growing, 10), 40);
  watch.ended(true, 245_000);
  assert.equal(dueAt(watch, [170, ...new Array(20).fill(170)], 50), 12);
});

for (const manner of ['in steps', 'at once'] as const) {
  test(`${manner}: garbage of an old generation is gone`, () => {
    const gone = megabytesLess(
      manner,
      `
    globalThis.kept = make(400_000);
    globalThis.garbage = make(100_000);
    globalThis.letGo = () => { globalThis.garbage = undefined; };
    globalThis.sizeOf = () => oldSpace().space_used_size;`,
    );
    assert.ok(gone > 3, String(gone));
  });

  test(`${manner}: what was free between what is kept is given back`, () => {
    const given = megabytesLess(
      manner,
      `
    globalThis.kept = make(400_000);
    globalThis.letGo = () => { for (let at = 0; at < 400_000; at++) if (at % 4 > 0) globalThis.kept[at] = 0; };
    globalThis.sizeOf = () => oldSpace().space_size;`,
    );
    assert.ok(given > 3, String(given));
  });
}

/** @param setUp of `kept`, `letGo` and `sizeOf` @returns by how much a quiet thread's size became less, 3 at least */
function megabytesLess(manner: 'in steps' | 'at once', setUp: string): number {
  const script = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    import { FakeClock } from '${new URL('./clock.ts', import.meta.url).href}';
    import { boundOldGeneration } from '${new URL('./old-generation.ts', import.meta.url).href}';
    import { boundYoungGeneration } from '${new URL('./young-generation.ts', import.meta.url).href}';
    import { collectWhenQuiet } from '${new URL('./quiet-collection.ts', import.meta.url).href}';
    boundOldGeneration();
    boundYoungGeneration();
    const clock = new FakeClock();
    collectWhenQuiet(clock, { atOnce: ${manner === 'at once'} });
    const make = (count) => Array.from({ length: count }, (_, at) => ({ at, text: 'garbage ' + at }));
    const oldSpace = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
    ${setUp}
    // A collection that began before something was let go leaves that where it is.
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    clock.advanceMs(5000);
    const before = sizeOf();
    letGo();
    let after = before;
    clock.advanceMs(40_000);
    // V8 takes its own time, and more of it on a busy machine: the limit of a collection, 2 s, is by the clock.
    // One that did not come to its end within is tried again at a look, each 5 s, a minute later.
    for (let waits = 1; waits <= 6000 && before - after < 3e6; waits++) {
      clock.advanceMs(waits % 750 === 0 ? 65_000 - ((clock.monotonicUs() / 1000) % 5000) : 4);
      await sleep(10);
      after = sizeOf();
    }
    console.log((before - after) / 1e6);`;
  return Number(
    execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
      {
        encoding: 'utf8',
      },
    ),
  );
}
