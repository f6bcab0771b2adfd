import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newFileOrder, parseFileOrder } from './file-order.ts';

const ids = { conversationId: 'c1', recordingId: '5f3a9c0d1e2b4a67' };

test('a file lies under the day it began, in UTC, and is named by time and recording', () => {
  const startedUnixMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const order = newFileOrder({ directory: '/var/rec', format: 'mp3', stereo: true }, ids, startedUnixMs);
  assert.equal(order.path, '/var/rec/2026/01/02/20260102030405-5f3a9c0d1e2b4a67.mp3');
  assert.deepEqual(parseFileOrder(JSON.parse(JSON.stringify(order))), order);
});

test('what is not an order is none', () => {
  for (const kept of [undefined, null, {}, 'x', { ...ids, path: '', format: 'wav', stereo: false }])
    assert.equal(parseFileOrder(kept), undefined);
});
