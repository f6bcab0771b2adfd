import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventLoopBusyShare } from './event-loop.ts';

test('a loop that works has no share to wait in, one that waits hardly works', async () => {
  await sleep(1);
  const busyShare = eventLoopBusyShare();
  const until = performance.now() + 20;
  while (performance.now() < until);
  assert.ok(busyShare() > 0.98);
  await sleep(200);
  assert.ok(busyShare() < 0.98);
});
