import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playParameters, playVerb } from './play-input.ts';

test('media objects of either form become prompts', () => {
  const play = [
    { type: 'audio', params: { url: 'https://app.example/a.wav' } },
    { type: 'tts', text: 'Hello', language: 'en-GB' },
    { type: 'silence', params: { duration: 1.5 } },
    { type: 'ringtone', params: { name: 'it', duration: 2 } },
  ];
  assert.deepEqual(playVerb(playParameters.parse({ play, volume: -6 })), {
    verb: 'play',
    prompts: [
      { kind: 'url', url: 'https://app.example/a.wav' },
      { kind: 'text', text: 'Hello', locale: 'en-GB' },
      { kind: 'silence', durationMs: 1500 },
      { kind: 'ring', durationMs: 2000, country: 'it' },
    ],
    volumeDb: -6,
  });
});

for (const wrong of [
  [],
  [{ type: 'video' }],
  [{ type: 'audio', params: { url: 'file:///etc/passwd' } }],
  ['tts'],
  [null],
])
  test(`refused: ${JSON.stringify(wrong)}`, () =>
    assert.equal(playParameters.safeParse({ play: wrong }).success, false));
