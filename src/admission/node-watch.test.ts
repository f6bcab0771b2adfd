import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import type { WorkerStats } from '../media/control.ts';
import { idleStats as stats } from '../media/test-worker-stats.ts';
import { NodeWatch, type WatchedWorker } from './node-watch.ts';

const spoolDir = mkdtempSync(join(tmpdir(), 'callreel-admission-'));
after(() => rmSync(spoolDir, { recursive: true }));

async function watched({
  clock = new FakeClock(),
  limits = {},
  workers = [],
  spool = spoolDir,
  directories = {},
  calls = () => 0,
  busyShare = () => 0,
  longestWaitMs = () => 0,
}: {
  clock?: FakeClock;
  limits?: { maxCalls?: number; minFreeDiskBytes?: number };
  busyShare?: () => number;
  longestWaitMs?: () => number;
  workers?: WatchedWorker[];
  spool?: string;
  directories?: { data?: string; files?: string };
  calls?: () => number;
}) {
  const watch = new NodeWatch({
    ...{ clock, log: silentLogger, directories: { ...directories, spool }, calls },
    signalling: () => ({ busyShare: busyShare(), waitingQueries: 0, longestWaitMs: longestWaitMs() }),
    limits: { maxLateTickShare: 0.2, minFreeDiskBytes: 0, maxSignallingBusyMs: 2000, ...limits },
    workers: () => workers,
  });
  /** One second on, and everything that follows from it. */
  const second = async (): Promise<void> => {
    clock.advanceMs(1000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await watch.start();
  return { clock, watch, second };
}

/** Its timers come late by so much. */
class LateClock extends FakeClock {
  lateUs = 0;
  override monotonicUs(): number {
    return super.monotonicUs() + this.lateUs;
  }
}

/** Two media workers: one that has nothing to do, and before it one that says what is told here. */
function oneOfTwo() {
  const told = { ...stats };
  const troubled = { workerId: 'w1', stats: async () => ({ ...told }) };
  const idle = { workerId: 'w2', stats: async () => stats };
  return { told, workers: [troubled, idle] };
}

test('calls at the limit are refused and counted; the next one fits when one has gone', async () => {
  let calls = 2;
  const { watch } = await watched({ limits: { maxCalls: 2 }, calls: () => calls });
  assert.equal(watch.isFull, true);
  assert.equal(watch.admits(), false);
  assert.throws(() => watch.assertAdmits(), { code: 'OVERLOADED', status: 503, where: 'calls' });
  assert.deepEqual(watch.refusals, { calls: 2 });
  calls = 1;
  assert.equal(watch.admits(), true);
  assert.deepEqual(watch.refusals, { calls: 2 });
  watch.close();
});

test('a worker whose ticks are late closes the door, and opens it again', async () => {
  let lateTicks = 0;
  const worker = { workerId: 'w1', stats: async () => ({ ...stats, lateTicks }) };
  const { watch, second } = await watched({ workers: [worker] });
  for (let looks = 0; looks < 2; looks++) {
    assert.equal(watch.isFull, false);
    lateTicks += 50;
    await second();
  }
  assert.equal(watch.shortage, 'late');
  assert.equal(watch.load?.lateTickShare, 0.25);
  for (let looks = 0; looks < 5; looks++) await second();
  assert.equal(watch.shortage, undefined);
  watch.close();
});

for (const { what, full, justFits } of [
  {
    what: 'a packet that found no place in the ring',
    full: { ringOverflows: 8 },
    justFits: { ringOverflows: 7 },
  },
  {
    what: 'a ring that is more than half full',
    full: { ringWaitingBytes: 1001, ringBytes: 2000 },
    justFits: { ringWaitingBytes: 1000, ringBytes: 2000 },
  },
  {
    what: 'a writer with more than three quarters of what it may have unsettled',
    full: { unsettledBytes: 3001, unsettledLimitBytes: 4000 },
    justFits: { unsettledBytes: 3000, unsettledLimitBytes: 4000 },
  },
])
  test(`${what} refuses at once, and no more after five looks without it`, async () => {
    const { told, workers } = oneOfTwo();
    // What was lost before the first look is nobody's news.
    Object.assign(told, { ringOverflows: 7 }, justFits);
    const { watch, second } = await watched({ workers });
    for (let looks = 0; looks < 3; looks++) await second();
    assert.equal(watch.admits(), true);
    Object.assign(told, full);
    await second();
    assert.throws(() => watch.assertAdmits(), { code: 'OVERLOADED', status: 503, where: 'spool' });
    // Of packets that were lost the count stays as it is.
    if (!('ringOverflows' in full)) Object.assign(told, justFits);
    for (let looks = 0; looks < 4; looks++) await second();
    assert.equal(watch.admits(), false);
    await second();
    assert.equal(watch.admits(), true);
    assert.deepEqual(watch.refusals, { spool: 2 });
    watch.close();
  });

test('one look at a full spool among the well ones, and the five begin again', async () => {
  const { told, workers } = oneOfTwo();
  const { watch, second } = await watched({ workers });
  for (let times = 0; times < 2; times++) {
    told.ringOverflows++;
    await second();
    for (let looks = 0; looks < 4; looks++) await second();
    assert.equal(watch.shortage, 'spool');
  }
  await second();
  assert.equal(watch.shortage, undefined);
  watch.close();
});

/** Of each look: what is sent, what finds no room, what waits for it; and what is said of it after the second one. */
for (const { what, sent, lost, waiting = 0, lateMs = 0, shortage } of [
  { what: 'as many as one peer explains', sent: 0, lost: 400, shortage: undefined },
  { what: 'one more than that', sent: 0, lost: 401, shortage: 'sends' },
  { what: 'as many, of a look that came late', sent: 0, lost: 800, lateMs: 2000, shortage: undefined },
  { what: 'one more, of a look that came late', sent: 0, lost: 801, lateMs: 2000, shortage: 'sends' },
  { what: 'one in a hundred', sent: 99 * 401, lost: 401, shortage: undefined },
  { what: 'more than one in a hundred', sent: 99 * 401 - 1, lost: 401, shortage: 'sends' },
  { what: 'as many, some of which only wait', sent: 0, lost: 200, waiting: 200, shortage: undefined },
  { what: 'one more, some of which only wait', sent: 0, lost: 200, waiting: 201, shortage: 'sends' },
] as const)
  test(`packets without room, ${what}: ${shortage ? 'refused after two looks' : 'no refusal'}`, async () => {
    const { told, workers } = oneOfTwo();
    // What found no room before the first look is nobody's news.
    Object.assign(told, { sentPackets: 1e6, sendOverflows: 1e6, failedSends: 1e6 });
    const clock = new LateClock();
    const { watch, second } = await watched({ clock, workers });
    const look = async (): Promise<void> => {
      told.sentPackets += sent;
      told.sendOverflows += lost;
      told.waitingSends = waiting;
      clock.lateUs += lateMs * 1000;
      await second();
    };
    await look();
    assert.equal(watch.admits(), true, 'one look alone is a hiccup');
    told.waitingSends = 0;
    await second();
    await look();
    assert.equal(watch.admits(), true, 'and so is another one');
    await look();
    assert.equal(watch.shortage, shortage);
    if (shortage) {
      assert.throws(() => watch.assertAdmits(), { code: 'OVERLOADED', status: 503, where: 'sends' });
      told.waitingSends = 0;
      for (let looks = 0; looks < 4; looks++) await second();
      assert.equal(watch.admits(), false);
      await second();
    } else await look();
    assert.equal(watch.admits(), true);
    assert.deepEqual(watch.refusals, shortage ? { sends: 2 } : {});
    watch.close();
  });

test('sends that fail for peers that are gone refuse nobody', async () => {
  const { told, workers } = oneOfTwo();
  const { watch, second } = await watched({ workers });
  for (let looks = 0; looks < 3; looks++) {
    told.failedSends += 10_000;
    await second();
  }
  assert.equal(watch.admits(), true);
  watch.close();
});

test('a worker that never answers holds up no look', async () => {
  const worker = { workerId: 'w1', stats: () => new Promise<WorkerStats>(() => undefined) };
  const clock = new FakeClock();
  const watch = new NodeWatch({
    ...{ clock, log: silentLogger, calls: () => 0, workers: () => [worker] },
    directories: { spool: spoolDir },
    signalling: () => ({ busyShare: 0, waitingQueries: 0, longestWaitMs: 0 }),
    limits: { maxLateTickShare: 0.2, minFreeDiskBytes: 0, maxSignallingBusyMs: 0 },
  });
  const started = watch.start();
  for (let half = 0; half < 1000 && watch.shortage === undefined; half++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advanceMs(500);
  }
  await started;
  assert.equal(watch.shortage, 'late');
  watch.close();
});

test('what a worker did while it was silent counts as soon as it answers', async () => {
  let lateTicks = 0;
  let looks = 0;
  const silence = new Promise<WorkerStats>(() => undefined);
  const worker = {
    workerId: 'w1',
    stats: () => (looks++ % 2 === 1 ? silence : Promise.resolve({ ...stats, lateTicks })),
  };
  const { watch, second, clock } = await watched({ workers: [worker] });
  lateTicks = 150;
  await second();
  // Until it is given up.
  clock.advanceMs(900);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(watch.load?.silentWorkers, 1);
  assert.equal(watch.shortage, undefined);
  await second();
  assert.equal(watch.load?.silentWorkers, 0);
  assert.ok(watch.load!.lateTickShare > 0.2, String(watch.load?.lateTickShare));
  assert.equal(watch.shortage, 'late');
  watch.close();
});

test('a disk without space, or one that is not there, takes no calls', async () => {
  const full = await watched({ limits: { minFreeDiskBytes: 1e18 } });
  assert.equal(full.watch.shortage, 'disk');
  full.watch.close();
  const gone = await watched({ limits: { minFreeDiskBytes: 1 }, spool: join(process.execPath, 'gone') });
  assert.equal(gone.watch.shortage, 'disk');
  gone.watch.close();
});

test('a look that comes late is a wait, too', async () => {
  const clock = new LateClock();
  const { watch } = await watched({ clock, busyShare: () => 1 });
  for (let look = 0; look < 20; look++) clock.advanceMs(100);
  assert.equal(watch.shortage, undefined);
  clock.lateUs = 250_000;
  clock.advanceMs(100);
  assert.equal(watch.shortage, 'signalling');
  watch.close();
});

test('each disk is told of, and only that of the spool refuses calls', async () => {
  const files = join(spoolDir, 'made', 'with the first look');
  const directories = { data: join(process.execPath, 'gone'), files };
  const { watch } = await watched({ limits: { minFreeDiskBytes: 1 }, directories });
  const spaceOf = (wanted: string) => watch.disks.find(({ place }) => place === wanted)?.space;
  while (spaceOf('files') === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(watch.disks.map(({ place }) => place).sort(), ['data', 'files', 'spool']);
  assert.equal(spaceOf('data'), undefined);
  assert.ok(spaceOf('spool')!.freeBytes > 0 && spaceOf('spool')!.freeBytes <= spaceOf('spool')!.bytes);
  assert.equal(watch.shortage, undefined);
  watch.close();
});

test('new calls are refused while signalling has nothing but work, and taken as soon as it waited', async () => {
  let share = 1;
  const { clock, watch } = await watched({ busyShare: () => share, longestWaitMs: () => 300 });
  for (let look = 0; look < 19; look++) clock.advanceMs(100);
  assert.equal(watch.admits(), true);
  clock.advanceMs(100);
  assert.throws(() => watch.assertAdmits(), { code: 'OVERLOADED', where: 'signalling' });
  share = 0.5;
  clock.advanceMs(100);
  assert.equal(watch.admits(), true);
  assert.deepEqual(watch.refusals, { signalling: 1 });
  watch.close();
});
