import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sleep, systemClock } from '../clock.ts';
import type { MediaWorker } from './media-worker.ts';
import { TestServer } from './test-server.ts';
import { WorkerPool } from './worker-pool.ts';

describe('WorkerPool', () => {
  let server: TestServer;
  let pool: WorkerPool;
  beforeEach(async () => {
    server = new TestServer();
    pool = await WorkerPool.start({ ...server.options, workers: 2 });
  });
  afterEach(async () => {
    pool.kill();
    await pool.drain();
    await server.close();
  });

  it('spreads rooms by load and keeps each on its worker', async () => {
    const first = pool.workerFor('one');
    await first.send({ verb: 'leg.open', legId: 'a' });
    const second = pool.workerFor('two');
    assert.notEqual(second, first);
    await second.send({ verb: 'leg.open', legId: 'b' });
    await second.send({ verb: 'leg.open', legId: 'c' });
    assert.equal(pool.workerFor('two'), second);
    assert.equal(pool.workerFor('one'), first);
    assert.equal(pool.workerFor('three'), first);
    const stats = await pool.stats();
    assert.deepEqual(stats.map(({ legs }) => legs).sort(), [1, 2]);
  });

  it('places a room anew that was forgotten', async () => {
    const first = pool.workerFor('one');
    await first.send({ verb: 'leg.open', legId: 'a' });
    assert.equal(pool.workerFor('one'), first);
    pool.forget('one');
    assert.notEqual(pool.workerFor('one'), first);
  });

  it('gives the rooms of a lost worker to another one, and replaces it', async () => {
    const worker = pool.workerFor('one');
    const { promise, resolve } = Promise.withResolvers<MediaWorker>();
    pool.onLost(resolve);
    worker.kill();
    assert.equal(await promise, worker);
    const other = pool.workerFor('one');
    assert.notEqual(other, worker);
    assert.equal(other.alive, true);
    while (pool.workers.length < 2) await sleep(systemClock, 20);
    assert.ok(pool.workers.every(({ alive }) => alive));
  });

  it('drains all of its workers and has none alive then', async () => {
    await pool.drain();
    assert.ok(pool.workers.every(({ alive }) => !alive));
    assert.throws(() => pool.workerFor('one'), { code: 'WORKER_LOST' });
  });
});
