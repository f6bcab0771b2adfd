import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { wavHeader } from '../container/wav.ts';
import { answer, CallbackApp } from './callback-app.ts';
import { pcmBytes } from './payload-search.ts';
import { fetchAudio, monoSamples } from './recorded-audio.ts';
import { tone } from './tone.ts';

let app: CallbackApp;
const left = tone({ frequencyHz: 443, durationMs: 100 });
const right = tone({ frequencyHz: 617, durationMs: 100 });

before(async () => {
  app = await CallbackApp.create();
});
after(() => app.close());

function wav(channels: number, samples: Int16Array): Uint8Array {
  const data = pcmBytes(samples);
  return Buffer.concat([wavHeader({ rateHz: 8000, channels, dataBytes: data.length }), data]);
}

/** `answer` speaks JSON; a data URL serves bytes without a server of its own. */
function dataUrl(bytes: Uint8Array): string {
  return `data:audio/wav;base64,${Buffer.from(bytes).toString('base64')}`;
}

test('a mono recording gives its samples', async () => {
  const recording = await fetchAudio(dataUrl(wav(1, left)));
  assert.equal(recording.rateHz, 8000);
  assert.deepEqual(monoSamples(recording), left);
});

test('a stereo recording gives two channels, and is not taken for mono', async () => {
  const interleaved = new Int16Array(1600);
  left.forEach((sample, i) => {
    interleaved[2 * i] = sample;
    interleaved[2 * i + 1] = right[i]!;
  });
  const recording = await fetchAudio(dataUrl(wav(2, interleaved)));
  assert.deepEqual(recording.channels, [left, right]);
  assert.throws(() => monoSamples(recording), /has 2 channels, not one/);
});

test('another status is told with what was answered', async () => {
  app.on('/gone.wav', () => answer(410, { error: 'erased' }));
  await assert.rejects(fetchAudio(app.url('/gone.wav')), /answered 410: \{"error":"erased"\}/);
});

test('what is no WAV file is refused', async () => {
  await assert.rejects(fetchAudio(dataUrl(Buffer.from('<html>'))), { code: 'AUDIO_INVALID' });
});
