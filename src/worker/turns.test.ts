import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Turns } from './turns.ts';

test('pieces of many take turns, and what comes in meanwhile waits for one piece alone', async () => {
  const turns = new Turns();
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
