import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { Command, CommandReply } from '../media/control.ts';
import { settleRooms } from './settle-rooms.ts';

class AskedWorker {
  readonly asked: Command[] = [];
  readonly #error: Error | undefined;

  constructor(error?: Error) {
    this.#error = error;
  }

  async send(command: Command): Promise<CommandReply> {
    this.asked.push(command);
    if (this.#error) throw this.#error;
    return {};
  }
}

test('each worker is asked once, for the rooms that it has', async () => {
  const [first, second] = [new AskedWorker(), new AskedWorker()];
  const workers = new Map([
    ['a', first],
    ['b', second],
    ['c', first],
  ]);
  const failed = (error: unknown) => assert.fail(String(error));
  const unsettled = await settleRooms(new Set(['a', 'b', 'over', 'c']), (id) => workers.get(id), failed);
  assert.deepEqual([...unsettled], []);
  assert.deepEqual(first.asked, [{ verb: 'spool.settle', roomIds: ['a', 'c'] }]);
  assert.deepEqual(second.asked, [{ verb: 'spool.settle', roomIds: ['b'] }]);
});

test('the rooms of a worker that is lost are told, those of the others are settled', async () => {
  const lost = new CallreelError('WORKER_LOST', 'the media worker is gone', { where: 'w' });
  const [good, gone] = [new AskedWorker(), new AskedWorker(lost)];
  const errors: unknown[] = [];
  const workerOf = (id: string) => (id < 'c' ? good : gone);
  const unsettled = await settleRooms(new Set(['a', 'c', 'b', 'd']), workerOf, (error) => errors.push(error));
  assert.deepEqual([...unsettled], ['c', 'd']);
  assert.deepEqual(errors, [lost]);
  assert.deepEqual(good.asked, [{ verb: 'spool.settle', roomIds: ['a', 'b'] }]);
});
