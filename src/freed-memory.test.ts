import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FakeClock } from './clock.ts';
import { openTrim, returnFreedMemory } from './freed-memory.ts';

const warned: Error[] = [];
process.on('warning', (warning) => warned.push(warning));

test('freed memory is given back, without a word', {
  skip: openTrim() === undefined && 'no glibc, or no node:ffi',
}, async () => {
  const clock = new FakeClock();
  returnFreedMemory(clock);
  const rssKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
  assert.ok(rssKb() > 0);
  for (let turn = 1; turn <= 3; turn++) {
    clock.advanceMs(10_000);
    assert.equal(clock.pendingTimers, 1);
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warned, []);
});
