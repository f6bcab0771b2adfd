import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, mock, test } from 'node:test';
import type { RoomMode } from '../media/control.ts';
import { randomOf } from '../timeline/test-random.ts';
import { FastPathBench, type FastPathWay } from './test-fast-path-bench.ts';
import { FastPathScript } from './test-fast-path-script.ts';

/** Seconds of each history. */
const seconds = 25;
const ticksPerSecond = 200;

/** SSRCs, timers of RTCP and the like are the same each time. */
function foreseeChance(seed: number): void {
  mock.restoreAll();
  const random = randomOf(seed);
  mock.method(Math, 'random', random);
  mock.method(crypto, 'randomInt', (max: number) => Math.floor(random() * max));
  mock.method(crypto, 'randomBytes', (bytes: number) => Buffer.alloc(bytes, Math.floor(random() * 256)));
  syncBuiltinESMExports();
}

afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

async function play(
  seed: number,
  trouble: number,
  way: FastPathWay,
  ringBytes: number,
  mode: RoomMode,
): Promise<FastPathBench> {
  foreseeChance(seed);
  const bench = new FastPathBench(way, ringBytes);
  const script = new FastPathScript(seed, trouble, mode);
  for (const command of script.begin()) await bench.execute(command);
  for (let tick = 0; tick < seconds * ticksPerSecond; tick++) {
    const { happenings, missedTicks } = script.turn(tick);
    await bench.turn(happenings, missedTicks);
  }
  await bench.turn(script.end());
  return bench;
}

/** Whatever the phones, the network and the server do: nobody can tell which way a packet took. */
for (const [mode, name, trouble, seeds, ringBytes] of [
  ['relay', 'nothing but calls', 0, 4, 1 << 22],
  ['relay', 'now and then', 0.15, 16, 1 << 22],
  ['relay', 'often', 1, 16, 1 << 22],
  ['relay', 'all the time', 8, 4, 1 << 22],
  ['relay', 'a ring that is full', 0.3, 4, 1 << 15],
  ['mix', 'nothing but calls', 0, 4, 1 << 22],
  ['mix', 'now and then', 0.15, 16, 1 << 22],
  ['mix', 'often', 1, 16, 1 << 22],
  ['mix', 'all the time', 8, 4, 1 << 22],
  ['mix', 'a ring that is full', 0.3, 4, 1 << 15],
] as const)
  test(`the fast path is not to be told from the long one: ${mode}, trouble ${name}`, async (context) => {
    let fastRecords = 0;
    let records = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const long = await play(seed, trouble, 'long', ringBytes, mode);
      const fast = await play(seed, trouble, seed % 2 === 0 ? 'sink' : 'row', ringBytes, mode);
      assert.equal(long.fastRecords, 0);
      fastRecords += fast.fastRecords;
      for (const what of ['replies', 'events', 'sent', 'ring'] as const) {
        const at = long.seen[what].findIndex((line, index) => line !== fast.seen[what][index]);
        assert.equal(fast.seen[what][at], long.seen[what][at], `seed ${seed}: ${what} ${at}`);
        assert.equal(fast.seen[what].length, long.seen[what].length, `seed ${seed}: ${what}`);
      }
      assert.ok(long.seen.sent.length > 100, `seed ${seed}`);
      records += long.seen.ring.length;
    }
    context.diagnostic(`${fastRecords} of ${records} went into the ring by the fast path`);
    assert.ok(fastRecords > 0);
  });
