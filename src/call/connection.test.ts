import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partyName, printable } from './connection.ts';

for (const [user, uri, name] of [
  ['+15558881188', 'sip:+15558881188@example.com', '+15558881188'],
  ['1000', 'sip:1000@example.com', '1000'],
  ['alice', 'sip:alice@example.com', 'sip:alice@example.com'],
  ['', 'sip:example.com', 'sip:example.com'],
  ['a\0b', 'sip:a\0b@example.com', 'sip:a\ufffdb@example.com'],
] as const)
  test(`the party at ${JSON.stringify(uri)}`, () => assert.equal(partyName({ user, uri }), name));

test('what strangers write is bounded and fit for a row', () => {
  assert.equal(printable('x'.repeat(10_000)).length, 256);
  assert.ok(printable(`${'x'.repeat(255)}\u{1f600}`).isWellFormed());
  assert.ok(printable('\ud800').isWellFormed());
  assert.doesNotMatch(printable('a\r\nb\0c'), /[\r\n\0]/);
});
