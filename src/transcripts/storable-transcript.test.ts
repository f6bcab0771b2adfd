import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storable, textOf } from './storable-transcript.ts';
import { testTranscript } from './test-transcript.ts';

test('no NUL and no half of a pair is left, in text and words; all else stays', () => {
  const words = [{ fromSample: 0, toSample: 80, text: 'he\0y\udc00' }];
  const transcript = testTranscript([
    { channel: 0, fromSample: 0, toSample: 80, text: 'he\0y \ud83d', words, confidence: 0.5 },
    { channel: 1, fromSample: 80, toSample: 160, text: 'you 😀' },
  ]);
  const kept = storable(transcript);
  assert.deepEqual(kept, {
    ...transcript,
    utterances: [
      {
        ...{ channel: 0, fromSample: 0, toSample: 80, text: 'hey \ufffd', confidence: 0.5 },
        words: [{ fromSample: 0, toSample: 80, text: 'hey\ufffd' }],
      },
      { channel: 1, fromSample: 80, toSample: 160, text: 'you 😀' },
    ],
  });
  assert.equal(textOf(kept), 'hey \ufffd\nyou 😀');
});
