import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { FakeClock, systemClock } from '../clock.ts';
import { Turns } from './turns.ts';

test('pieces of many take turns, and what comes in meanwhile waits for one piece alone', async () => {
  const turns = new Turns(systemClock);
  const { port1, port2 } = new MessageChannel();
  const done: string[] = [];
  const received = new Promise((resolve) =>
    port2.on('message', (message) => resolve(done.push(message as string))),
  );
  const job = async (name: string, pieces: number) => {
    for (let piece = 0; piece < pieces; piece++) {
      await turns.take();
      done.push(name);
      if (name === 'a' && piece === 0) port1.postMessage('quick');
    }
  };
  await Promise.all([job('a', 20), job('b', 20), job('c', 1), received]);
  port1.close();
  assert.deepEqual(
    done.filter((each) => each !== 'quick').slice(0, 5),
    ['a', 'b', 'c', 'a', 'b'],
    done.join(' '),
  );
  assert.equal(done.length, 42);
  assert.ok(done.indexOf('quick') < 10, done.join(' '));
  await job('later', 2);
  assert.equal(done.length, 44);
});

test('a piece waits while what is quick comes, but not for ever', async () => {
  const clock = new FakeClock();
  const turns = new Turns(clock);
  let isDone = false;
  const begin = async (): Promise<void> => {
    isDone = false;
    await turns.take();
    isDone = true;
  };
  const pass = async (ms: number): Promise<void> => {
    for (let step = 0; step < ms; step++) {
      await setImmediate();
      clock.advanceMs(1);
    }
    await setImmediate();
    await setImmediate();
  };
  turns.quick();
  let piece = begin();
  await pass(1);
  assert.ok(!isDone);
  turns.quick();
  await pass(1);
  assert.ok(!isDone);
  await pass(1);
  await piece;
  turns.quick();
  piece = begin();
  for (let ms = 0; ms < 25; ms++) {
    await pass(1);
    turns.quick();
  }
  assert.ok(!isDone);
  for (let ms = 0; ms < 10; ms++) {
    await pass(1);
    turns.quick();
  }
  await piece;
});
