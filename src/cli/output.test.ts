import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { describeError, printable, withoutPassword } from './output.ts';

test('what a caller named itself can not drive the terminal', () => {
  assert.equal(printable('a\u001b]0;title\u0007b\u202ec\nd'), 'a\ufffd]0;title\ufffdb\ufffdc\ufffdd');
  assert.equal(printable('Jos\u00e9 \u{1f600}'), 'Jos\u00e9 \u{1f600}');
});

test('the password in a URL is not shown', () => {
  for (const [url, shown] of [
    ['https://ann:s3c@ret@app.example/x', 'https://ann:***@app.example/x'],
    ['http://:secret@app.example', 'http://:***@app.example'],
    ['https://app.example/a:b@c', 'https://app.example/a:b@c'],
    ['https://ann@app.example/', 'https://ann@app.example/'],
  ] as const)
    assert.equal(withoutPassword(url), shown);
});

test('an error says what, where and what to do', () => {
  const error = new CallreelError('NOT_FOUND', 'there is no such recording', { where: 'ab\u001bc' });
  assert.equal(
    describeError(error),
    'callreel: NOT_FOUND: there is no such recording\n' +
      '  where:      ab\ufffdc\n' +
      '  what to do: Check the identifier; it may have been erased.',
  );
});
