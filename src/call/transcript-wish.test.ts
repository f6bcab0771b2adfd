import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedLocale } from './transcript-wish.ts';

test('the wish of a recording or of its delivery; without a locale American English', () => {
  const table: [unknown, string | undefined][] = [
    [{ transcription: { locale: 'de-DE' } }, 'de-DE'],
    [{ transcription: {} }, 'en-US'],
    [{ delivery: { transcription: { locale: 'gd_GB' } } }, 'gd_GB'],
    [{ transcription: { locale: 'fr-FR' }, delivery: { transcription: { locale: 'gd_GB' } } }, 'fr-FR'],
    [{ delivery: { url: 's3://bucket/' } }, undefined],
    [{}, undefined],
    [null, undefined],
    [undefined, undefined],
    ['text', undefined],
    [{ transcription: { locale: 7 } }, undefined],
    [{ transcription: true }, undefined],
  ];
  for (const [wishes, locale] of table) assert.equal(wantedLocale(wishes), locale, JSON.stringify(wishes));
});
