import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseForeignVoice, knownLocale, shown } from './voice-name.ts';

test('names of voices go through, others become the own voice with a warning', () => {
  for (const voice of ['nova', 'en_US-lessac-medium', 'a+f3', 'Emma'])
    assert.deepEqual(chooseForeignVoice('alloy', voice, 'es-MX'), { voice, warnings: [] });
  assert.deepEqual(chooseForeignVoice('alloy', undefined, undefined), { voice: 'alloy', warnings: [] });
  for (const voice of ['', '-f/etc/passwd', '--help', 'a b', '../x', 'x'.repeat(200), 'a\0b', '{locale}']) {
    const choice = chooseForeignVoice('alloy', voice, undefined);
    assert.equal(choice.voice, 'alloy');
    assert.deepEqual(
      choice.warnings.map(({ code }) => code),
      ['voice-unknown'],
    );
  }
});

test('language tags', () => {
  for (const tag of ['en', 'en-US', 'pt_BR', 'zh-Hant-TW']) assert.equal(knownLocale(tag), tag);
  for (const tag of ['', '-v', 'english!', 'e', 'en-', 'en--US', 'x'.repeat(50)]) {
    assert.equal(knownLocale(tag), undefined);
    assert.equal(chooseForeignVoice('alloy', undefined, tag).warnings[0]?.code, 'locale-unsupported');
  }
});

test('a text is shown short and on one line', () => {
  assert.equal(shown('a\n"b"'), '"a\\n\\"b\\""');
  assert.ok(shown('x'.repeat(5000)).length < 50);
});
