import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { wavHeader } from '../container/wav.ts';
import { decodeWav, readLineAudio } from './audio-file.ts';
import { pcmBytes } from './payload-search.ts';

const samples = Int16Array.of(1, -2, 32_767, -32_768, 5, 6);

function wav(rateHz: number, channels: number): Uint8Array {
  const data = pcmBytes(samples);
  return Buffer.concat([wavHeader({ rateHz, channels, dataBytes: data.length }), data]);
}

test('channels are taken apart', () => {
  assert.deepEqual(decodeWav(wav(16_000, 2)), {
    rateHz: 16_000,
    channels: [Int16Array.of(1, 32_767, 5), Int16Array.of(-2, -32_768, 6)],
  });
});

test('a phone plays mono at 8 kHz and says what else it was given', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'callreel-audio-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'file.wav');
  await writeFile(path, wav(8000, 1));
  assert.deepEqual(await readLineAudio(path), samples);
  await writeFile(path, wav(16_000, 1));
  await assert.rejects(readLineAudio(path), /not 1 channels at 16000 Hz/);
});
