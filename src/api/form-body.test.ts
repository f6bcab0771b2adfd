import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseForm } from './form-body.ts';

test('fields, repeated fields, and names that mean something to JavaScript', () => {
  const form = parseForm('name=a+b%26c&number=1&number=2&number=3&__proto__=x&constructor=y&empty=');
  assert.deepEqual(
    { ...form },
    { name: 'a b&c', number: ['1', '2', '3'], ['__proto__']: 'x', constructor: 'y', empty: '' },
  );
  assert.equal(Object.keys(form).length, 5);
});

test('a form without end', () => {
  assert.throws(() => parseForm('a=1&'.repeat(1001)), { code: 'REQUEST_INVALID' });
});
