import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { JobThreads } from './job-threads.ts';
import type { TestJob } from './test-job-thread.ts';

const opened: JobThreads<TestJob, Uint8Array>[] = [];
const clock = new FakeClock();

afterEach(async () => {
  for (const threads of opened.splice(0)) await threads.close();
  assert.equal(clock.pendingTimers, 0);
});

function startThreads(threads = 1, maxWaiting = 10): JobThreads<TestJob, Uint8Array> {
  const script = new URL('./test-job-thread.ts', import.meta.url);
  const failure = (what: string) => new CallreelError('SPEECH_FAILED', what);
  const started = new JobThreads<TestJob, Uint8Array>({
    script,
    threads,
    maxWaiting,
    timeoutMs: 1000,
    clock,
    failure,
  });
  opened.push(started);
  return started;
}

const reverse = (...bytes: number[]): TestJob => ({ verb: 'reverse', bytes: Uint8Array.from(bytes) });

test('jobs run in order, and their results come back', async () => {
  const threads = startThreads();
  const results = await Promise.all([
    threads.run(reverse(1, 2)),
    threads.run(reverse(3, 4)),
    threads.run(reverse(5, 6)),
  ]);
  assert.deepEqual(results, [Uint8Array.of(2, 1), Uint8Array.of(4, 3), Uint8Array.of(6, 5)]);
});

test('a transferred buffer leaves the caller', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const result = await startThreads().run({ verb: 'reverse', bytes }, { transfer: [bytes.buffer] });
  assert.deepEqual(result, Uint8Array.of(3, 2, 1));
  assert.equal(bytes.length, 0);
});

test('what a job throws arrives with its code, and the thread goes on', async () => {
  const threads = startThreads();
  await assert.rejects(threads.run({ verb: 'refuse' }), {
    name: 'CallreelError',
    code: 'AUDIO_INVALID',
    message: 'refused',
    where: 'byte 7',
  });
  await assert.rejects(threads.run({ verb: 'throw' }), { code: 'INTERNAL', message: 'TypeError: a fault' });
  assert.deepEqual(await threads.run(reverse(1, 2)), Uint8Array.of(2, 1));
});

test('a job that never ends costs its thread, not the jobs behind it', async () => {
  const threads = startThreads();
  const stuck = threads.run({ verb: 'loop' });
  const behind = threads.run(reverse(1, 2));
  clock.advanceMs(1000);
  await assert.rejects(stuck, { code: 'SPEECH_FAILED', message: 'not done within 1000 ms' });
  assert.deepEqual(await behind, Uint8Array.of(2, 1));
});

test('a thread that dies fails its own job only', async () => {
  const threads = startThreads();
  const dying = threads.run({ verb: 'exit' });
  const behind = threads.run(reverse(1, 2));
  await assert.rejects(dying, { code: 'SPEECH_FAILED' });
  assert.deepEqual(await behind, Uint8Array.of(2, 1));
});

test('a job that waits can be given up, and one that runs is not waited for', async () => {
  const threads = startThreads();
  const giveUp = new AbortController();
  const running = threads.run(reverse(1, 2), { signal: giveUp.signal });
  const waiting = threads.run({ verb: 'loop' }, { signal: giveUp.signal });
  giveUp.abort(new Error('hung up'));
  await assert.rejects(running, { message: 'hung up' });
  await assert.rejects(waiting, { message: 'hung up' });
  await assert.rejects(threads.run(reverse(1), { signal: giveUp.signal }), { message: 'hung up' });
  assert.deepEqual(await threads.run(reverse(3, 4)), Uint8Array.of(4, 3));
});

test('one more than may wait is refused', async () => {
  const threads = startThreads(1, 1);
  const first = threads.run(reverse(1));
  const second = threads.run(reverse(2));
  await assert.rejects(threads.run(reverse(3)), {
    code: 'SPEECH_FAILED',
    message: '1 others are waiting already',
  });
  assert.deepEqual(await Promise.all([first, second]), [Uint8Array.of(1), Uint8Array.of(2)]);
});

test('closing ends what runs and what waits', async () => {
  const threads = startThreads();
  const results = Promise.allSettled([threads.run({ verb: 'loop' }), threads.run(reverse(1))]);
  await threads.close();
  for (const result of await results) {
    assert.equal(result.status, 'rejected');
    assert.equal((result as PromiseRejectedResult).reason.code, 'DRAINING');
  }
  await assert.rejects(threads.run(reverse(1)), { code: 'DRAINING' });
});
