import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signalSum } from './signal-sum.ts';

test('signals are added where they begin, and what is too loud in the end is cut off', () => {
  const taken = new Int16Array(11);
  for (let again = 0; again < 2; again++) {
    signalSum.begin(11);
    signalSum.add(Int16Array.of(1, 2, 30_000, -30_000, 30_000), 0);
    signalSum.add(Int16Array.of(30_000, -30_000, 30_000), 2);
    signalSum.add(Int16Array.of(-30_000, 5), 4);
    signalSum.add(Int16Array.of(-7), 10);
    signalSum.take(taken);
    assert.deepEqual([...taken], [1, 2, 32_767, -32_768, 30_000, 5, 0, 0, 0, 0, -7]);
  }
});
