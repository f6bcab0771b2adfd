import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubtAbout } from './doubtful-text.ts';

test('What people say is not doubted', () => {
  assert.equal(doubtAbout('Thank you.', 0.8), undefined);
  assert.equal(doubtAbout('no no no no no no no', 3), undefined);
  assert.equal(doubtAbout('One hundred and eleven thousand one hundred and eleven.', 3), undefined);
  assert.equal(doubtAbout('5', 0.5), undefined);
  assert.equal(doubtAbout('ещё раз', 1), undefined);
});

test('Nothing, and punctuation alone, is empty', () => {
  for (const text of ['', '   ', '...', '- "?"']) assert.equal(doubtAbout(text, 2), 'empty');
});

test('More than 28 characters a second are too many', () => {
  const text = 'the quick brown fox jumped o';
  assert.equal(text.length, 28);
  assert.equal(doubtAbout(text, 1), undefined);
  assert.equal(doubtAbout(`${text}v`, 1), 'too-fast');
});

test('A unit of up to 12 characters may come 7 times, not 8', () => {
  for (const unit of ['a', 'no ', 'thank you, ', 'abcdefghijkl']) {
    assert.equal(doubtAbout(`well, ${unit.repeat(7)}`.trimEnd().slice(0, -1), 60), undefined, unit);
    assert.equal(doubtAbout(`well, ${unit.repeat(8)}and so on`, 60), 'repeats', unit);
  }
  assert.equal(doubtAbout('abcdefghijklm'.repeat(8), 60), undefined);
});
