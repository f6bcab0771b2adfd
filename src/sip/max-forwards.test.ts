import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopsLeft } from './max-forwards.ts';

const incoming = (value: string) =>
  hopsLeft({ direction: 'incoming', headers: [{ name: 'max-forwards', value }] });

test('RFC 7332 section 3: a call that goes on has one hop less', () => {
  assert.equal(incoming('70'), 69);
  assert.equal(incoming('1'), 0);
  assert.equal(incoming('0'), -1);
});

test('RFC 3261 section 16.6.3: without the header it is 70; a call of ours begins with it', () => {
  assert.equal(hopsLeft({ direction: 'incoming', headers: [] }), 69);
  assert.equal(hopsLeft({ direction: 'outgoing', headers: [] }), 70);
});
