import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  isSameLanguage,
  languageOf,
  refuseUnserved,
  transcriptionLocales,
  unservedReason,
} from './locales.ts';
import { whisperLanguages } from './whisper-languages.ts';

const english = new Set(['en']);

describe('Locales of transcripts', () => {
  test("are those of Sinch's SDK, to the letter", () => {
    const sdk = createRequire(import.meta.url)
      .resolve('@sinch/voice')
      .replace(/dist\/.*$/, 'dist');
    const options = 'svaml-instruction-start-recording';
    const file = join(sdk, 'models/v1/mod-svaml', options, `${options}.d.ts`);
    const type = /type TranscriptionLocale = ([^;]+);/.exec(readFileSync(file, 'utf8'))?.[1];
    assert.deepEqual(
      [...transcriptionLocales],
      type?.split('|').map((text) => text.trim().replaceAll("'", '')),
    );
    assert.equal(transcriptionLocales.length, 41);
  });

  test('all have a language, the odd ones too', () => {
    for (const locale of transcriptionLocales) assert.match(languageOf(locale) ?? '', /^[a-z]{2}$/, locale);
    assert.deepEqual(['gd_GB', 'en-AB', 'en-WL', 'EN-us', 'es'].map(languageOf), [
      'gd',
      'en',
      'en',
      'en',
      'es',
    ]);
    for (const text of ['', 'english', 'en-', '12-US', 'en US', 'e', `en-${'x'.repeat(9)}`])
      assert.equal(languageOf(text), undefined, text);
  });

  test('are served by an English engine where they are English', () => {
    const served = transcriptionLocales.filter((locale) => !unservedReason(locale, english, 'this engine'));
    assert.deepEqual(
      served,
      transcriptionLocales.filter((locale) => locale.startsWith('en-')),
    );
    assert.equal(served.length, 9);
  });

  test('of Gaelic and Irish are not served by Whisper', () => {
    const unserved = transcriptionLocales.filter((locale) => unservedReason(locale, whisperLanguages, 'it'));
    assert.deepEqual(unserved, ['gd_GB', 'ga-IE']);
  });

  test('fail with what the engine knows', () => {
    assert.equal(
      unservedReason('es-ES', english, 'the embedded engine'),
      'Spanish (es-ES) is not served: the embedded engine knows English',
    );
    assert.match(unservedReason('../../etc', english, 'it') ?? '', /is not a locale/);
    assert.throws(() => refuseUnserved('no'), { code: 'TRANSCRIPTION_LOCALE_UNSUPPORTED' });
    refuseUnserved(undefined);
  });

  test("are compared with a server's own names of languages", () => {
    for (const heard of ['english', 'English', 'en', 'en-us', 'EN_GB'])
      assert.ok(isSameLanguage(heard, 'en-US'), heard);
    for (const heard of ['spanish', 'es', '']) assert.ok(!isSameLanguage(heard, 'en-US'), heard);
    for (const [heard, locale] of [
      ['german', 'de-CH'],
      ['spa', 'es-US'],
      ['lao', 'lo-LA'],
      ['tagalog', 'tl-PH'],
      ['yue', 'yue-HK'],
    ] as const)
      assert.ok(isSameLanguage(heard, locale), heard);
  });
});
