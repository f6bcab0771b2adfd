import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestHeader, type RecorderInput } from './recorder-input.ts';

const input = {
  ...{ recordingId: 'r', roomId: 'room', accountId: 'account', rateHz: 16_000, meta: { a: 1 } },
  ...{ key: { plain: 'secret', sealed: 'sealed' }, options: {}, originUs: 5, originUnixMs: 7 },
} as unknown as RecorderInput;

test('a manifest begins with what a restart needs, and without the key', () => {
  const header = manifestHeader(input, 320, undefined);
  assert.deepEqual(header, {
    ...{ type: 'header', version: 1, recordingId: 'r', conversationId: 'room', accountId: 'account' },
    ...{ rateHz: 16_000, originUnixMs: 7, startSample: 320, sealedKey: 'sealed', meta: { a: 1 } },
  });
  assert.doesNotMatch(JSON.stringify(header), /secret/);
});

test('it says what the recording waits for, and which half of a call it is about', () => {
  const header = manifestHeader({ ...input, options: { direction: 'speak' } }, 0, 'consent');
  assert.deepEqual([header.waitsFor, header.direction], ['consent', 'speak']);
});
