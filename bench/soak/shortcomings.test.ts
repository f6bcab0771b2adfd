import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portsFor } from './rtp-ports.ts';
import { faultsLogged, type SoakedPart, shortcomingsOf } from './shortcomings.ts';

const forbiddenNote =
  'datagrams are sent one by one: io_uring_setup: EPERM; datagrams are received one by one: io_uring_setup: EPERM';

const good: SoakedPart = {
  ...{ name: 'part', hasUring: true, driver: 'ffi', driverNote: undefined },
  ...{
    calls: 10,
    refused: 0,
    strayInvites: 0,
    recordings: 10,
    faults: 0,
    missingPackets: 0,
    wrongPackets: 0,
  },
  ...{ overflows: 0, sendsFailed: 0, collections: 3, exitCode: 0 },
  ports: { first: 20_000, last: 20_099 },
  legsByPort: new Map([[20_000, 20]]),
};

test('a part that held has no shortcoming, with io_uring and where it was shown to be forbidden', () => {
  assert.deepEqual(shortcomingsOf(good), []);
  assert.deepEqual(shortcomingsOf({ ...good, hasUring: false, driverNote: forbiddenNote }), []);
  assert.deepEqual(shortcomingsOf({ ...good, hasUring: undefined, driver: 'dgram' }), []);
});

test('each thing that is wrong is a shortcoming by itself', () => {
  const wrongs: Partial<SoakedPart>[] = [
    { calls: 0, recordings: 0 },
    ...[
      { refused: 1 },
      { strayInvites: 1 },
      { faults: 1 },
      { recordings: 9 },
      { missingPackets: 1 },
      { wrongPackets: 1 },
    ],
    ...[{ overflows: 1 }, { sendsFailed: 1 }, { collections: 0 }, { exitCode: 1 }, { exitCode: null }],
    { legsByPort: new Map([[19_998, 1]]) },
    { driver: 'dgram' },
    { driverNote: forbiddenNote },
    { hasUring: false },
    { hasUring: false, driverNote: 'datagrams are received one by one: io_uring of an old kernel' },
  ];
  for (const wrong of wrongs)
    assert.equal(shortcomingsOf({ ...good, ...wrong }).length, 1, JSON.stringify(wrong));
});

test('what a log warns of is a fault, what it tells is none', () => {
  const log = [
    { level: 30, msg: 'told' },
    { level: 40, msg: 'warned' },
    { level: 50, msg: 'failed' },
    { msg: 'no level' },
  ];
  assert.deepEqual(
    faultsLogged(log).map((line) => JSON.parse(line).msg),
    ['warned', 'failed'],
  );
});

test('calls have twice the ports that they need at once: RTP and RTCP of two legs', () => {
  assert.deepEqual(portsFor(300), { first: 20_000, last: 22_399 });
  assert.throws(() => portsFor(2000), /2000 calls/);
});
