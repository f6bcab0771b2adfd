import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeSpan } from './active-span.ts';

test('the span goes from the first to the last loud sample', () => {
  assert.deepEqual(activeSpan(Int16Array.of(0, 8, -900, 0, 0, 300, -8, 0)), { start: 2, end: 6 });
});

test('silence of either law is no activity', () => {
  assert.deepEqual(activeSpan(Int16Array.of(0, 8, -8, 0)), { start: 0, end: 0 });
  assert.deepEqual(activeSpan(new Int16Array(0)), { start: 0, end: 0 });
});

test('a span may reach both ends', () => {
  assert.deepEqual(activeSpan(Int16Array.of(32_767, 0, -32_768)), { start: 0, end: 3 });
});
