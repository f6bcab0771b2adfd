import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySequences } from './key-sequences.ts';

test('a long pause is two short ones', () => assert.deepEqual(keySequences('1W2w#'), ['1ww2w#']));

test('no command is longer than the worker takes', () => {
  const sequences = keySequences('7'.repeat(100) + 'W'.repeat(20));
  assert.deepEqual(
    sequences.map(({ length }) => length),
    [64, 64, 12],
  );
});

test('no keys are no command', () => assert.deepEqual(keySequences(''), []));

for (const digits of ['1a', '1-2', '+49', '1'.repeat(1025)])
  test(`refuses ${digits.slice(0, 10)}`, () =>
    assert.throws(() => keySequences(digits), { code: 'REQUEST_INVALID', where: 'digits' }));
