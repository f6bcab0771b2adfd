import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resample, resampledLength } from '../audio/resample.ts';
import { decodeAudio } from './decode-audio.ts';
import { level, tone, toneLevel, toneMp3, tonePurity, toneWav } from './test-audio.ts';

const rates = [8000, 16_000, 48_000] as const;
const limits = { maxSeconds: 60 };

function assertTone(samples: Int16Array, rateHz: number, purity: number): void {
  const pure = tonePurity(samples, rateHz);
  assert.ok(pure > purity, `purity ${pure}`);
  const loud = level(samples) / toneLevel;
  assert.ok(loud > 0.93 && loud < 1.05, `level ${loud}`);
}

describe('WAV', () => {
  test('at its own rate it is bit for bit the same', async () => {
    for (const rateHz of rates) {
      const samples = await decodeAudio({ bytes: toneWav(3000, rateHz), rateHz, ...limits });
      assert.deepEqual(samples, tone(3000, rateHz));
    }
  });

  test('every usual rate becomes every rate wanted', async () => {
    for (const fromHz of [8000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]) {
      for (const rateHz of rates) {
        const samples = await decodeAudio({ bytes: toneWav(fromHz, fromHz), rateHz, ...limits });
        assert.equal(samples.length, resampledLength(fromHz, fromHz, rateHz));
        assertTone(samples, rateHz, 0.999);
      }
    }
  });

  test('an odd rate is rounded: the tone is the same to the ear', async () => {
    const samples = await decodeAudio({ bytes: toneWav(44_101, 44_101), rateHz: 8000, ...limits });
    assert.equal(samples.length, resampledLength(44_101, 44_100, 8000));
    assertTone(samples, 8000, 0.99);
  });

  test('too long, too slow, cut off in its header', async () => {
    const decode = (bytes: Uint8Array, maxSeconds = 60) => decodeAudio({ bytes, rateHz: 8000, maxSeconds });
    await assert.rejects(decode(toneWav(8001, 8000), 1), { code: 'AUDIO_TOO_LONG' });
    assert.equal((await decode(toneWav(8000, 8000), 1)).length, 8000);
    await assert.rejects(decode(toneWav(100, 1)), { code: 'AUDIO_INVALID' });
    await assert.rejects(decode(toneWav(100, 8000).subarray(0, 30)), { code: 'AUDIO_INVALID' });
    await assert.rejects(decode(toneWav(0, 8000)), { code: 'AUDIO_INVALID', message: /without any audio/ });
  });

  test('a stream whose length was never filled in is played to its end', async () => {
    for (const size of [0, 0xffff_ffff]) {
      const bytes = toneWav(3000, 8000);
      bytes.writeUInt32LE(size, 40);
      assert.deepEqual(await decodeAudio({ bytes, rateHz: 8000, ...limits }), tone(3000, 8000));
    }
  });
});

describe('MP3', () => {
  test('every rate becomes every rate, exactly as long as the audio that was encoded', async () => {
    for (const fromHz of rates) {
      const bytes = await toneMp3(fromHz, fromHz);
      for (const rateHz of rates) {
        const samples = await decodeAudio({ bytes, rateHz, ...limits });
        assert.equal(samples.length, resampledLength(fromHz, fromHz, rateHz));
        assertTone(samples, rateHz, 0.99);
      }
    }
  });

  test('resampled in pieces it is what it is resampled as a whole', async () => {
    const bytes = await toneMp3(80_000, 8000);
    const whole = await decodeAudio({ bytes, rateHz: 8000, ...limits });
    const samples = await decodeAudio({ bytes, rateHz: 48_000, ...limits });
    assert.deepEqual(samples, resample(whole, 8000, 48_000));
  });

  test('a tag behind it is not played', async () => {
    const tag = Buffer.alloc(128);
    tag.write('TAG');
    const bytes = Buffer.concat([await toneMp3(8000, 8000), tag]);
    assert.equal((await decodeAudio({ bytes, rateHz: 8000, ...limits })).length, 8000);
  });

  test('two files in one, of different rates, are played one after the other', async () => {
    const bytes = Buffer.concat([await toneMp3(48_000, 16_000), await toneMp3(24_000, 8000)]);
    const samples = await decodeAudio({ bytes, rateHz: 8000, ...limits });
    const seconds = samples.length / 8000;
    // The second has no gapless tag that the decoder would obey; its padding is heard as silence.
    assert.ok(seconds > 5.7 && seconds < 6.6, `${seconds} s`);
    assertTone(samples.subarray(0, 23_000), 8000, 0.99);
    assert.ok(level(samples.subarray(30_000, 46_000)) > 0.9 * toneLevel);
  });

  test('what is longer than the limit ends at the limit', async () => {
    const bytes = await toneMp3(80_000, 8000);
    await assert.rejects(decodeAudio({ bytes, rateHz: 8000, maxSeconds: 9 }), { code: 'AUDIO_TOO_LONG' });
    assert.equal((await decodeAudio({ bytes, rateHz: 8000, maxSeconds: 10 })).length, 80_000);
  });

  test('damage anywhere ends in samples or in an error, never in a loop', async () => {
    const mp3 = await toneMp3(40_000, 8000);
    let seed = 1;
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
    let decoded = 0;
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.from(mp3);
      for (let k = 0; k < 5 * round; k++)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const cut = bytes.subarray(0, Math.ceil(random() * bytes.length));
      const samples = await decodeAudio({ bytes: cut, rateHz: 8000, ...limits }).catch((error) => {
        assert.equal(error.code, 'AUDIO_INVALID');
      });
      if (samples) decoded++;
    }
    assert.ok(decoded > 20, `${decoded} of 60`);
  });

  test('a good beginning and then nothing that can be decoded', async () => {
    const mp3 = await toneMp3(40_000, 16_000);
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, k) => (k * k * 31 + (k >> 3) * 17) & 0xff));
    const result = await decodeAudio({
      bytes: Buffer.concat([mp3.subarray(0, 1000), noise]),
      rateHz: 8000,
      ...limits,
    }).then(
      (samples) => samples.length > 0,
      (error) => error.code === 'AUDIO_INVALID',
    );
    assert.equal(result, true);
  });
});

describe('other bytes', () => {
  test('are named as what they are', async () => {
    for (const [bytes, message] of [
      ['', /it is empty/],
      ['  <!doctype html><h1>Not Found</h1>', /HTML/],
      ['{"error": 1}', /JSON/],
      ['OggS\0\x02', /Ogg/],
      ['fLaC\0', /FLAC/],
      ['RIFFxxxxAVI LIST', /neither WAV nor MP3/],
      ['\0'.repeat(100_000), /neither WAV nor MP3/],
    ] as const)
      await assert.rejects(decodeAudio({ bytes: Buffer.from(bytes), rateHz: 8000, ...limits }), {
        code: 'AUDIO_INVALID',
        message,
      });
  });

  test('raw samples only where they were expected, and WAV even there', async () => {
    const raw = Buffer.from(tone(24_000, 24_000).buffer);
    const samples = await decodeAudio({ bytes: raw, rateHz: 8000, rawRateHz: 24_000, ...limits });
    assert.equal(samples.length, 8000);
    assertTone(samples, 8000, 0.999);
    const wav = await decodeAudio({ bytes: toneWav(500, 8000), rateHz: 8000, rawRateHz: 24_000, ...limits });
    assert.deepEqual(wav, tone(500, 8000));
    const odd = raw.subarray(0, 3);
    assert.equal(
      (await decodeAudio({ bytes: odd, rateHz: 24_000 as 8000, rawRateHz: 24_000, ...limits })).length,
      1,
    );
  });
});
