import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveUpAfterMs, retryDelaySeconds } from './retry-schedule.ts';

test('delays grow to six hours and end within 72 hours, never long before', () => {
  const delays: number[] = [];
  let waitedMs = 0;
  for (let attempt = 1; ; attempt++) {
    const delay = retryDelaySeconds(attempt, waitedMs);
    if (delay === undefined) break;
    delays.push(delay);
    waitedMs += delay * 1000;
  }
  assert.deepEqual(delays.slice(0, 5), [5, 15, 45, 135, 405]);
  assert.ok(delays.every((delay, index) => index === 0 || delay >= (delays[index - 1] ?? 0)));
  assert.equal(delays.at(-1), 6 * 3600);
  assert.ok(waitedMs <= giveUpAfterMs);
  assert.ok(waitedMs > giveUpAfterMs - 6 * 3_600_000);
});
