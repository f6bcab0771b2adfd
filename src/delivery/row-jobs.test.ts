import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { RowJobs, type RowJobsOptions } from './row-jobs.ts';

let clock = new FakeClock();
let wallClock = new FakeClock();
let jobs: RowJobs | undefined;

beforeEach(() => {
  clock = new FakeClock();
  wallClock = new FakeClock();
});

afterEach(async () => {
  await jobs?.stop();
  assert.equal(clock.pendingTimers, 0);
});

function make(options: Partial<RowJobsOptions> = {}): RowJobs {
  jobs = new RowJobs({
    ...{ clock, wallClock, log: silentLogger, pollMs: 1000, fetch: async () => 0 },
    names: { one: 'a job', many: 'jobs', id: 'jobId' },
    ...options,
  });
  return jobs;
}

/** Lets everything happen that waits for no clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

/** Goes on until it is broken off. */
const endless = (signal: AbortSignal) =>
  new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('it looks at once, after each poll, when it is kicked, and again as long as there was something to begin', async () => {
  const found = [2, 1, 0, 0, 0, 1, 0];
  let looked = 0;
  const made = make({ fetch: async () => found[looked++] ?? 0 });
  made.start();
  await settle();
  assert.equal(looked, 3);
  clock.advanceMs(999);
  await settle();
  assert.equal(looked, 3);
  clock.advanceMs(1);
  await settle();
  assert.equal(looked, 4);
  made.kick();
  await settle();
  assert.equal(looked, 5);
  clock.advanceMs(1000);
  await settle();
  assert.equal(looked, 7);
});

test('a kick while it looks is not lost; a job that ends is one; a look that fails is looked again', async () => {
  const { promise: first, resolve: answer } = Promise.withResolvers<number>();
  let looked = 0;
  const fetches = [() => first, async () => 0, async () => Promise.reject(new Error('no database'))];
  const made = make({ fetch: async () => await (fetches[looked++] ?? (async () => 0))() });
  made.start();
  await settle();
  assert.equal(looked, 1);
  made.kick();
  answer(0);
  await settle();
  assert.equal(looked, 2);
  const { promise: work, resolve: end } = Promise.withResolvers<void>();
  made.begin('a', 'group', () => work);
  end();
  await settle();
  assert.equal(looked, 3);
  clock.advanceMs(1000);
  await settle();
  assert.equal(looked, 4);
});

test('it knows what is under way, by group, breaks one off and then all, and waits for their ends', async () => {
  const made = make();
  made.start();
  const ended: string[] = [];
  for (const [id, group] of [
    ['a', 'one'],
    ['b', 'one'],
    ['c', 'two'],
  ] as const)
    made.begin(id, group, async (signal) => {
      await endless(signal).catch((error: Error) => ended.push(`${id}: ${error.message}`));
      await setImmediate();
    });
  assert.deepEqual(made.running, ['a', 'b', 'c']);
  assert.deepEqual(
    [...made.groups],
    [
      ['one', 2],
      ['two', 1],
    ],
  );
  await made.interrupt('b', new Error('given up'));
  await made.interrupt('unknown', new Error('given up'));
  assert.deepEqual(made.running, ['a', 'c']);
  assert.equal(made.isStopping, false);
  await made.stop();
  assert.deepEqual(ended, ['b: given up', 'a: the process stops', 'c: the process stops']);
  assert.deepEqual([made.running, made.isStopping], [[], true]);
});

test('a job that fails ends by itself, and is left alone for a minute: others come before it', async () => {
  const made = make();
  made.begin('a', 'group', async () => Promise.reject(new Error('broken')));
  assert.deepEqual(made.taken, ['a']);
  await settle();
  assert.deepEqual([made.running, made.taken, made.groups.size], [[], ['a'], 0]);
  clock.advanceMs(60_000);
  assert.deepEqual(made.taken, []);
  made.begin('b', 'group', async () => Promise.reject(new Error('broken')));
  await settle();
});

test('what the database refuses for what it says is not written again and again', async () => {
  const made = make();
  let tries = 0;
  const refused = Object.assign(new Error('invalid byte sequence'), { code: '22021' });
  await assert.rejects(
    made.settled(async () => {
      tries++;
      throw refused;
    }),
    refused,
  );
  assert.equal(tries, 1);
});

test('what became of a job is written until the database has it, or the process stops', async () => {
  const made = make();
  let tries = 0;
  const written = made.settled(async () => {
    if (++tries < 3) throw new Error('no database');
    return 'written';
  });
  await settle();
  assert.equal(tries, 1);
  for (let each = 0; each < 2; each++) {
    wallClock.advanceMs(1000);
    await settle();
  }
  assert.equal(await written, 'written');
  await made.stop();
  assert.equal(await made.settled(async () => Promise.reject(new Error('no database'))), undefined);
});
