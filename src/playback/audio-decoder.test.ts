import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { AudioDecoder } from './audio-decoder.ts';
import { tone, toneMp3, toneWav } from './test-audio.ts';

const clock = new FakeClock();
const decoder = new AudioDecoder({ clock });
after(() => decoder.close());

const limits = { rateHz: 8000, maxSeconds: 60 };

test('bytes go to the thread and samples come back', async () => {
  const bytes = new Uint8Array(toneWav(5000, 8000));
  assert.deepEqual(await decoder.decode({ bytes, ...limits }), tone(5000, 8000));
  assert.equal(bytes.length, 0);
  const mp3 = new Uint8Array(await toneMp3(5000, 8000));
  assert.equal((await decoder.decode({ bytes: mp3, ...limits })).length, 5000);
});

test('a part of a larger buffer is left as it is', async () => {
  const wav = toneWav(500, 8000);
  const part = new Uint8Array(wav.length + 10).subarray(5, -5);
  part.set(wav);
  assert.deepEqual(await decoder.decode({ bytes: part, ...limits }), tone(500, 8000));
  assert.deepEqual(Buffer.from(part), wav);
});

test('errors keep their code', async () => {
  const html = Uint8Array.from(Buffer.from('<html>'));
  await assert.rejects(decoder.decode({ bytes: html, ...limits }), {
    code: 'AUDIO_INVALID',
    where: 'byte 0',
  });
  const long = new Uint8Array(toneWav(8000, 8000));
  await assert.rejects(decoder.decode({ bytes: long, rateHz: 8000, maxSeconds: 0.5 }), {
    code: 'AUDIO_TOO_LONG',
  });
  assert.equal(clock.pendingTimers, 0);
});
