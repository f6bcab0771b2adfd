import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryDelayMs } from './delivery-schedule.ts';

const dayMs = 24 * 3_600_000;

/** When each try is made, in ms since the end of the recording. */
function tries(retryDays: number): number[] {
  const at = [0];
  for (;;) {
    const waitedMs = at.at(-1)!;
    const delayMs = deliveryDelayMs(at.length, waitedMs, retryDays);
    if (delayMs === undefined) return at;
    at.push(waitedMs + delayMs);
  }
}

test('soon at first, then every two hours, until the days are over', () => {
  const at = tries(5);
  assert.deepEqual(at.slice(0, 5), [0, 5000, 20_000, 80_000, 380_000]);
  assert.ok(at.at(-1)! > 5 * dayMs - 7_200_001 && at.at(-1)! <= 5 * dayMs);
  const gaps = at.slice(1).map((each, index) => each - at[index]!);
  assert.equal(Math.max(...gaps), 7_200_000);
});

test('days are those of the setting', () => {
  assert.ok(tries(3).at(-1)! > 3 * dayMs - 7_200_001);
  assert.ok(tries(3).at(-1)! <= 3 * dayMs);
});
