import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeSpan } from './active-span.ts';
import { speech, speechNames } from './speech.ts';

test('there are four voices, each some seconds long and different', async () => {
  const voices = await Promise.all(speechNames.map((name) => speech(name)));
  for (const voice of voices) {
    const { start, end } = activeSpan(voice);
    assert.ok(end - start > 8000 * 5, `${(end - start) / 8000} s of speech`);
  }
  assert.equal(new Set(voices.map((voice) => voice.length)).size, voices.length);
});
