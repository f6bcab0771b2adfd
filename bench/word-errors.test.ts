import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { normalizedWords, wordErrors } from './word-errors.ts';

describe('Words that are compared', () => {
  for (const [text, words] of [
    ["You're the 1st — no: the 2nd!", "you're the one st no the two nd"],
    ['Press 1, 12 or 42.', 'press one twelve or forty two'],
    ['dial 500, or extension 8500', 'dial five hundred or extension eight five zero zero'],
    ['a 28.8 kilobit modem', 'a twenty eight point eight kilobit modem'],
    ['press * then #', 'press star then pound'],
    ['www.asterisk.org', 'www asterisk org'],
    ['Re-enter your voice mail', 'reenter your voicemail'],
    ['1,000 people', 'one zero zero zero people'],
    ["the ‘good’ 'old' users’", 'the good old users'],
    ['N. B. S.', 'n b s'],
    ['', ''],
  ] as const)
    test(JSON.stringify(text), () => assert.equal(normalizedWords(text).join(' '), words));
});

describe('Word errors', () => {
  const errors = (said: string, heard: string) => wordErrors(normalizedWords(said), normalizedWords(heard));

  test('are what was replaced, added or left out', () => {
    assert.deepEqual(errors('a b c d', 'a b c d'), []);
    assert.deepEqual(errors('a b c d', 'a x c d'), [{ said: 'b', heard: 'x' }]);
    assert.deepEqual(errors('a b c d', 'a c d e'), [{ said: 'b' }, { heard: 'e' }]);
    assert.equal(errors('a b c', '').length, 3);
    assert.equal(errors('', 'a b').length, 2);
  });
});
