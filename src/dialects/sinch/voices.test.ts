import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { voiceOf } from './voices.ts';

describe('locales and voices of prompts', () => {
  it('a locale, with a gender or without', () => {
    assert.deepEqual(voiceOf('de-DE'), { locale: 'de-DE' });
    assert.deepEqual(voiceOf('en-US/male'), { locale: 'en-US' });
    assert.deepEqual(voiceOf('en-GB-WLS/male'), { locale: 'en-GB-WLS' });
    assert.deepEqual(voiceOf('gd_GB'), { locale: 'gd-GB' });
    assert.deepEqual(voiceOf('fr'), { locale: 'fr' });
  });

  it("the vendor's own names of languages are those that engines know", () => {
    assert.deepEqual(voiceOf('arb'), { locale: 'ar' });
    assert.deepEqual(voiceOf('cmn-CN/female'), { locale: 'zh-CN' });
  });

  it("a voice of the vendor's stands for its language", () => {
    assert.deepEqual(voiceOf('Joanna'), { locale: 'en-US' });
    assert.deepEqual(voiceOf('vicki'), { locale: 'de-DE' });
    assert.deepEqual(voiceOf('Léa'), { locale: 'fr-FR' });
    assert.deepEqual(voiceOf('Zhiyu'), { locale: 'zh-CN' });
  });

  it('nothing is English, and a name that nobody knows is for the engine to judge', () => {
    for (const nothing of [undefined, '', ' ']) assert.deepEqual(voiceOf(nothing), { locale: 'en-US' });
    assert.deepEqual(voiceOf('Somebody'), { locale: 'en-US', voice: 'Somebody' });
    assert.deepEqual(voiceOf('en-US-Neural;rm'), { locale: 'en-US', voice: 'en-US-Neural;rm' });
  });
});
