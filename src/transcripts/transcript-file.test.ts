import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTranscript } from './test-transcript.ts';
import { transcriptFile, transcriptKeyOf } from './transcript-file.ts';

test('it lies beside its recording, under its name', () => {
  const names = ['folder/call.mp3', 'call.wav', 'v1.2/call', 'a.b.mp4', 'call.MP3', '.mp3'];
  assert.deepEqual(names.map(transcriptKeyOf), [
    'folder/call-transcript.json',
    'call-transcript.json',
    'v1.2/call-transcript.json',
    'a.b-transcript.json',
    'call-transcript.json',
    '-transcript.json',
  ]);
});

test('it is what Sinch describes, and nothing else', () => {
  const file = transcriptFile(
    testTranscript([
      { channel: 0, fromSample: 8160, toSample: 9000, text: 'Hello.', confidence: 0.9 },
      { channel: 0, fromSample: 9100, toSample: 9900, text: 'Who is it?' },
      { channel: 1, fromSample: 12_000, toSample: 13_000, text: 'Ann.' },
    ]),
  );
  assert.deepEqual(JSON.parse(file.toString()), {
    text: 'Hello. Who is it? Ann.',
    lines: [
      { timestamp: 1.02, speakerLabel: 'Speaker 1', text: 'Hello. Who is it?' },
      { timestamp: 1.5, speakerLabel: 'Speaker 2', text: 'Ann.' },
    ],
  });
});
