import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { WriteQueue } from './write-queue.ts';

describe('write queue', () => {
  test('writes of a key keep their order through failures; another key does not wait', async () => {
    const clock = new FakeClock();
    const queue = new WriteQueue(clock, silentLogger);
    const written: string[] = [];
    let down = true;
    const first = queue.add('a', 'first', async () => {
      if (down) throw new Error('connection refused');
      written.push('first');
    });
    const second = queue.add('a', 'second', async () => void written.push('second'));
    await queue.add('b', 'other', async () => void written.push('other'));
    assert.deepEqual(written, ['other']);
    down = false;
    clock.advanceMs(100);
    await Promise.all([first, second]);
    assert.deepEqual(written, ['other', 'first', 'second']);
    assert.equal(queue.pendingKeys, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  test('what the database refuses for its content is not tried again', async () => {
    const clock = new FakeClock();
    const queue = new WriteQueue(clock, silentLogger);
    let attempts = 0;
    await queue.add('a', 'poison', async () => {
      attempts++;
      throw Object.assign(new Error('invalid byte sequence for encoding "UTF8": 0x00'), { code: '22021' });
    });
    assert.equal(attempts, 1);
    assert.equal(clock.pendingTimers, 0);
  });

  test('after the close a failing write is given up, and idle is reached', async () => {
    const clock = new FakeClock();
    const queue = new WriteQueue(clock, silentLogger);
    void queue.add('a', 'lost', async () => {
      throw new Error('connection refused');
    });
    await setImmediate();
    queue.close();
    clock.advanceMs(100);
    await queue.whenIdle();
    assert.equal(queue.pendingKeys, 0);
  });
});
