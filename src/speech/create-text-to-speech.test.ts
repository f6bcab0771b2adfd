import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeClock } from '../clock.ts';
import { loadConfig } from '../config.ts';
import { AudioDecoder } from '../playback/audio-decoder.ts';
import { createTextToSpeech, type SpeechSettings } from './create-text-to-speech.ts';
import type { TextToSpeech } from './text-to-speech.ts';

const clock = new FakeClock();
const opened: TextToSpeech[] = [];
let decoder: AudioDecoder;
let defaults: SpeechSettings;

before(() => {
  decoder = new AudioDecoder({ clock, threads: 1 });
});
after(async () => {
  for (const speech of opened) await speech.close();
  await decoder.close();
});
beforeEach(() => {
  defaults = loadConfig({}, '/nowhere').speech;
});

function create(settings: Partial<SpeechSettings> = {}): TextToSpeech {
  const speech = createTextToSpeech({ ...defaults, ...settings }, { clock, decoder });
  opened.push(speech);
  return speech;
}

test('with nothing configured the embedded engine speaks, with the voice configured', async () => {
  const request = { text: 'Hello.', rateHz: 8000 } as const;
  const { samples, warnings } = await create().speak(request);
  assert.deepEqual(warnings, []);
  const other = await create({ voice: 'rms' }).speak(request);
  assert.notDeepEqual(other.samples, samples);
  assert.deepEqual((await create().speak({ ...request, voice: 'rms' })).samples, other.samples);
});

test('a voice that the embedded engine does not have is a mistake of the configuration', () => {
  assert.throws(() => create({ voice: 'nova' }), { code: 'CONFIG_INVALID', where: 'speech.voice' });
});

test('a program speaks, and the embedded engine when it fails', async () => {
  const program = fileURLToPath(new URL('./test-program.ts', import.meta.url));
  const speech = create({ command: [process.execPath, program] });
  const { samples, warnings } = await speech.speak({ text: 'Hello.', rateHz: 8000 });
  assert.equal(samples.length, 600);
  assert.deepEqual(warnings, []);
  const failed = await speech.speak({ text: 'fail', rateHz: 8000 });
  assert.ok(failed.samples.length > 2000);
  assert.deepEqual(
    failed.warnings.map(({ code }) => code),
    ['engine-failed'],
  );
});

test('a server that is not there is stood in for', async () => {
  const speech = create({ url: 'http://127.0.0.1:1', voice: 'nova' });
  const { samples, warnings } = await speech.speak({ text: 'Hello.', rateHz: 16_000 });
  assert.ok(samples.length > 8000);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['engine-failed'],
  );
});
