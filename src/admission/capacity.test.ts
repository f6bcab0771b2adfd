import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleStats } from '../media/test-worker-stats.ts';
import { Capacity } from './capacity.ts';
import { loadBetween, type NodeLoad, type WorkerSample } from './node-load.ts';

const well: NodeLoad = {
  lateTickShare: 0,
  ringFill: 0.1,
  lostPackets: 0,
  unsettledFill: 0,
  unsentShare: 0,
  silentWorkers: 0,
  freeDiskBytes: 1e12,
};
const limits = { maxLateTickShare: 0.2, minFreeDiskBytes: 500e6, maxSignallingBusyMs: 2000 };

test('one hiccup refuses nobody, two looks running do, and five well ones take it back', () => {
  const capacity = new Capacity(limits);
  const late = { ...well, lateTickShare: 0.21 };
  assert.equal(capacity.observe(late), false);
  capacity.observe(well);
  capacity.observe(late);
  assert.equal(capacity.shortageAt(0), undefined);
  assert.equal(capacity.observe(late), true);
  assert.equal(capacity.shortageAt(0), 'late');
  for (let look = 0; look < 4; look++) assert.equal(capacity.observe(well), false);
  assert.equal(capacity.shortageAt(0), 'late');
  assert.equal(capacity.observe(well), true);
  assert.equal(capacity.shortageAt(0), undefined);
});

test('sends that find no room refuse when two looks running say so', () => {
  const capacity = new Capacity(limits);
  const unsent = { ...well, unsentShare: 0.011 };
  capacity.observe(unsent);
  capacity.observe({ ...well, unsentShare: 0.01 });
  capacity.observe(unsent);
  assert.equal(capacity.shortageAt(0), undefined);
  assert.equal(capacity.observe(unsent), true);
  assert.equal(capacity.shortageAt(0), 'sends');
  for (let look = 0; look < 5; look++) capacity.observe(well);
  assert.equal(capacity.shortageAt(0), undefined);
});

test('a worker that does not say how it is counts as late', () => {
  const capacity = new Capacity(limits);
  for (let look = 0; look < 2; look++) capacity.observe({ ...well, silentWorkers: 1 });
  assert.equal(capacity.shortageAt(0), 'late');
});

test('a full ring, a lost packet and a full disk refuse at once; a disk that does not answer is full', () => {
  for (const [shortage, load] of [
    ['spool', { ringFill: 0.51 }],
    ['spool', { lostPackets: 1 }],
    ['spool', { unsettledFill: 0.76 }],
    ['disk', { freeDiskBytes: 499e6 }],
    ['disk', { freeDiskBytes: undefined }],
    ['disk', { freeDiskBytes: 0, lostPackets: 1 }],
  ] as const) {
    const capacity = new Capacity(limits);
    assert.equal(capacity.observe({ ...well, ...load }), true);
    assert.equal(capacity.shortageAt(0), shortage);
  }
});

test('at its limits a node still takes calls', () => {
  const capacity = new Capacity(limits);
  for (let look = 0; look < 3; look++)
    capacity.observe({ ...well, lateTickShare: 0.2, freeDiskBytes: 500e6 });
  assert.equal(capacity.shortageAt(0), undefined);
});

test('what is not looked at refuses nobody; a loss of packets always does', () => {
  const capacity = new Capacity({ maxLateTickShare: 0, minFreeDiskBytes: 0, maxSignallingBusyMs: 0 });
  for (let look = 0; look < 3; look++)
    capacity.observe({ ...well, lateTickShare: 1, silentWorkers: 1, freeDiskBytes: undefined });
  assert.equal(
    capacity.observeSignalling({ busyShare: 1, waitingQueries: 9, longestWaitMs: 9000 }, 60_000),
    false,
  );
  assert.equal(capacity.shortageAt(1e6), undefined);
  capacity.observe({ ...well, lostPackets: 1 });
  assert.equal(capacity.shortageAt(0), 'spool');
});

test('signalling that has nothing but work, or a database that has, refuses after a while, and no more once it waited', () => {
  const capacity = new Capacity({ ...limits, maxCalls: 1 });
  const look = (busyShare: number, waitingQueries = 0) =>
    capacity.observeSignalling({ busyShare, waitingQueries, longestWaitMs: 250 }, 100);
  for (let looks = 0; looks < 19; looks++) assert.equal(look(1), false);
  assert.equal(look(0.94), false);
  for (let looks = 0; looks < 19; looks++) assert.equal(looks % 2 ? look(0.95) : look(0, 1), false);
  assert.equal(capacity.shortageAt(0), undefined);
  assert.equal(look(0, 1), true);
  assert.equal(capacity.shortageAt(1), 'signalling');
  capacity.observe({ ...well, lostPackets: 1 });
  assert.equal(capacity.shortageAt(0), 'spool');
  assert.equal(look(0.94), true);
  for (let look = 0; look < 5; look++) capacity.observe(well);
  assert.equal(capacity.shortageAt(0), undefined);
});

test('signalling that is only busy refuses nobody: something must wait for long, until little does', () => {
  const capacity = new Capacity(limits);
  const look = (longestWaitMs: number) =>
    capacity.observeSignalling({ busyShare: 1, waitingQueries: 0, longestWaitMs }, 100);
  for (let looks = 0; looks < 600; looks++) assert.equal(look(249), false);
  assert.equal(look(250), true);
  assert.equal(capacity.shortageAt(0), 'signalling');
  assert.equal(look(100), false);
  assert.equal(look(99), true);
  assert.equal(capacity.shortageAt(0), undefined);
  assert.equal(look(249), false);
  assert.equal(look(250), true, 'it has been busy all along');
});

test('what waits for a second refuses in a fifth of the time, until little waits or nothing works', () => {
  const capacity = new Capacity(limits);
  const look = (longestWaitMs: number, busyShare = 1) =>
    capacity.observeSignalling({ busyShare, waitingQueries: 0, longestWaitMs }, 100);
  for (let looks = 0; looks < 3; looks++) assert.equal(look(9000), false);
  assert.equal(look(999), false);
  assert.equal(look(1000), true);
  assert.equal(look(100), false);
  assert.equal(look(9000, 0.9), true);
  assert.equal(capacity.shortageAt(0), undefined);
});

test('calls up to the limit, and not one more', () => {
  const capacity = new Capacity({ ...limits, maxCalls: 2 });
  assert.equal(capacity.shortageAt(1), undefined);
  assert.equal(capacity.shortageAt(2), 'calls');
});

const sample = (workerId: string, atUs: number, counters: Partial<WorkerSample['stats']>): WorkerSample => ({
  workerId,
  atUs,
  stats: { ...idleStats, ...counters },
});

test('of several workers the worst counts; one that is new is judged from its second sample on', () => {
  const before = new Map(['a', 'b'].map((id) => [id, sample(id, 0, { lateTicks: 100, ringOverflows: 7 })]));
  const now = [
    sample('a', 1e6, { lateTicks: 110, ringOverflows: 7, ringWaitingBytes: 300_000, unsettledBytes: 1000 }),
    sample('b', 1e6, {
      lateTicks: 150,
      ringOverflows: 9,
      ringWaitingBytes: 200_000,
      unsettledBytes: 800_000,
    }),
    sample('new', 1e6, { lateTicks: 5000, ringOverflows: 5000, ringWaitingBytes: 100_000 }),
  ];
  assert.deepEqual(loadBetween(before, now, 5000), {
    ...{ lateTickShare: 0.25, ringFill: 0.3, lostPackets: 2, unsettledFill: 0.8, unsentShare: 0 },
  });
});

test('what is not sent counts from where no one peer explains it, with what waits in the queue', () => {
  const counters = { sentPackets: 5000, failedSends: 70_000, sendOverflows: 300 };
  const before = new Map([['a', sample('a', 0, counters)]]);
  const unsentShare = (change: Partial<typeof idleStats>) =>
    loadBetween(before, [sample('a', 1e6, { ...counters, ...change })], 5000).unsentShare;
  assert.equal(unsentShare({ sentPackets: 5100, failedSends: 90_000 }), 0, 'peers that are gone');
  assert.equal(unsentShare({ sentPackets: 5100, sendOverflows: 600, waitingSends: 100 }), 0);
  assert.equal(unsentShare({ sentPackets: 5200, sendOverflows: 800, waitingSends: 100 }), 0.75);
  assert.equal(unsentShare({ sentPackets: 6500, waitingSends: 500 }), 0.25);
  // A timer may fire early.
  const atOnce = (waitingSends: number) =>
    loadBetween(before, [sample('a', 0.5e6, { ...counters, waitingSends })], 5000).unsentShare;
  assert.equal(atOnce(400), 0);
  assert.equal(atOnce(401), 1);
  const afterTenSeconds = (waitingSends: number) =>
    loadBetween(before, [sample('a', 10e6, { ...counters, sentPackets: 9400, waitingSends })], 5000)
      .unsentShare;
  assert.equal(afterTenSeconds(2200), 0);
  assert.equal(afterTenSeconds(2201), 2201 / 6601);
});
