import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speakableText } from './speakable-text.ts';

test('plain English goes through as it is', () => {
  for (const text of ['Hello.', 'Call 415-555-0100 at 10:30, please!', 'a & b < c "quoted"'])
    assert.deepEqual(speakableText(text), { text, isIncomplete: false });
});

test('accents and typography become what English has', () => {
  for (const [given, text] of [
    ['Ça va, Zoë? Straße', 'Ca va, Zoe? Strasse'],
    ['“It’s” 5 €…', '"It\'s" 5 euros ...'],
    ['one—two', 'one, two'],
    ['a\tb\r\nc', 'a b c'],
    ['ﬁne ＡＢＣ', 'fine ABC'],
  ] as const)
    assert.deepEqual(speakableText(given), { text, isIncomplete: false });
});

test('what cannot be spoken is left out and told', () => {
  assert.deepEqual(speakableText('Hello мир 😀 2'), { text: 'Hello 2', isIncomplete: true });
});

test('a text of which nothing can be spoken becomes a notice: no silence', () => {
  for (const text of ['Привет мир', '你好', '😀', '$$$', '= < >'])
    assert.deepEqual(speakableText(text), { text: 'This message cannot be spoken.', isIncomplete: true });
});

test('a text that says nothing stays empty', () => {
  for (const text of ['', ' \n ', '...', '«»', '%', '\u0000\u200b'])
    assert.deepEqual(speakableText(text), { text: '', isIncomplete: false });
});

test('no word has more than 60 characters and no piece more than 300, and nothing is lost', () => {
  for (const given of [
    'x'.repeat(5000),
    '9'.repeat(5000),
    'one two three four '.repeat(250),
    'a,'.repeat(2500),
    'Dr. Who said. '.repeat(300),
    `${'long '.repeat(40)}end. Next sentence follows here`,
  ]) {
    const { text } = speakableText(given);
    const pieces = text.split('\n\n');
    for (const piece of pieces) assert.ok(piece.length <= 300, `${piece.length} characters`);
    for (const word of text.split(/\s+/)) assert.ok(word.length <= 60, word);
    assert.equal(text.replace(/\s/g, ''), given.replace(/\s/g, ''));
  }
});

test('a piece ends where a sentence does, if it is long enough', () => {
  const sentence = `${'many words '.repeat(14)}come first.`;
  assert.equal(speakableText(`${sentence} Then more.`).text, `${sentence}\n\nThen more.`);
  assert.equal(speakableText('Short. Then more.').text, 'Short. Then more.');
});
