import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../clock.ts';
import type { EngineHost } from './engine-host.ts';
import { EnginePool } from './engine-pool.ts';

const { signal } = new AbortController();
const prepare = async () => ({ detectorFile: 'fine' });

describe('A pool of engines', () => {
  test('has one for each user up to its size, the first where one is enough, and none behind its end', async () => {
    const options = {
      ...{ clock: systemClock, memoryLimitMb: 1536, niceness: 0, idleMs: 60_000 },
      ...{ startTimeoutMs: 120_000, requestTimeoutMs: 120_000 },
      script: new URL('./test-engine-process.ts', import.meta.url),
    };
    const pool = new EnginePool(options, 2);
    const pidOf = async ({ pid }: EngineHost) => pid;
    const first = await pool.use(prepare, pidOf, signal);
    assert.equal(await pool.use(prepare, pidOf, signal), first);
    assert.equal(pool.pid, first);
    const both = Promise.withResolvers<void>();
    const begun = new Set<number>();
    const together = async ({ pid }: EngineHost) => {
      if (begun.add(pid).size === 2) both.resolve();
      await both.promise;
      return pid;
    };
    const pids = await Promise.all([1, 2, 3].map(() => pool.use(prepare, together, signal)));
    assert.deepEqual(new Set(pids), begun);
    assert.ok(begun.has(first));
    await pool.close();
    for (const pid of begun) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});
