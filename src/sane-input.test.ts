import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSaneInput, isSaneText, withSaneTexts } from './sane-input.ts';

test('what a database can keep passes', () => {
  for (const input of [undefined, null, 1, 'J\u00f6rg \u{1f600}', { a: [{ b: ['c', null, true] }] }])
    assert.doesNotThrow(() => assertSaneInput(input, 'body'));
});

test('NUL, half a pair and endless nesting do not', () => {
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  for (const input of ['a\0', { a: ['\ud800'] }, { 'k\0': 1 }, deep])
    assert.throws(() => assertSaneInput(input, 'body'), { code: 'REQUEST_INVALID' });
});

test('it says where', () => {
  const long = 'k'.repeat(65);
  for (const [input, where] of [
    ['a\0', 'body'],
    [{ notice_text: 'a\0' }, 'body.notice_text'],
    [{ a: ['b', '\ud800'] }, 'body.a[1]'],
    [{ 'k\0': 1 }, 'body'],
    [{ a: { [long]: '\0' } }, 'body.a'],
  ] as const)
    assert.throws(() => assertSaneInput(input, 'body'), { where });
});

test('a copy with sane texts passes, and is otherwise the same', () => {
  const given = { a: ['b\0', '\udc00c', 1, true, null, undefined], 'k\ud800': { d: 'plain' } };
  const copy = withSaneTexts(given);
  assert.doesNotThrow(() => assertSaneInput(copy, 'body'));
  assert.deepEqual(copy, {
    a: ['b\ufffd', '\ufffdc', 1, true, null, undefined],
    'k\ufffd': { d: 'plain' },
  });
  assert.deepEqual(['a', 'a\0', '\ud800'].map(isSaneText), [true, false, false]);
});
