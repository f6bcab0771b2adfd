import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelAudio, ChannelWish, SpeechToText } from './speech-to-text.ts';
import { transcribeRecording } from './transcribe-recording.ts';

/** Hears one word in each channel: its length. */
function counter(): SpeechToText {
  let running = 0;
  return {
    name: 'embedded',
    model: 'counter',
    unservedReason: () => undefined,
    transcribe: async ({ chunks }: ChannelAudio, { signal }: ChannelWish) => {
      signal.throwIfAborted();
      assert.equal(running++, 0, 'one channel at a time');
      let durationSamples = 0;
      for await (const chunk of chunks) durationSamples += chunk.length;
      running--;
      const text = String(durationSamples);
      return { durationSamples, utterances: [{ fromSample: 0, toSample: 800, text }], unrecognized: [] };
    },
    close: async () => undefined,
  };
}

test('The channels of a recording become one transcript', async () => {
  const channels = [
    { id: 'c1', audio: { rateHz: 8000, chunks: [new Int16Array(8000)] }, startSample: 4000 },
    { id: 'c2', audio: { rateHz: 16_000, chunks: [new Int16Array(8000)] }, startSample: 0 },
  ];
  const { signal } = new AbortController();
  const transcript = await transcribeRecording(counter(), channels, {
    locale: 'en-US',
    rateHz: 8000,
    signal,
  });
  assert.deepEqual(transcript, {
    version: 1,
    locale: 'en-US',
    engine: 'embedded counter',
    rateHz: 8000,
    durationSamples: 12_000,
    channels: [
      { speakerLabel: 'Speaker 1', id: 'c1', startSample: 4000 },
      { speakerLabel: 'Speaker 2', id: 'c2', startSample: 0 },
    ],
    utterances: [
      { channel: 1, fromSample: 0, toSample: 400, text: '8000' },
      { channel: 0, fromSample: 4000, toSample: 4800, text: '8000' },
    ],
    marks: [],
  });
});
