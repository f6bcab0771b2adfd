import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MPEGDecoder } from 'mpg123-decoder';
import { CallreelError } from '../errors.ts';
import { Mp3Encoder } from './mp3.ts';
import {
  defaultMp3BitRateKbps,
  type Mp3Shape,
  mp3Bytes,
  mp3DelaySamples,
  mp3InfoFrame,
} from './mp3-frame.ts';
import { distanceDb, testTones, toneDb } from './test-signal.ts';

const rates = [8000, 16_000, 48_000] as const;

async function encode(samples: Int16Array, shape: Mp3Shape, chunk = 3000): Promise<Buffer> {
  const encoder = new Mp3Encoder(shape);
  const parts = [encoder.head()];
  for (let at = 0; at < samples.length; at += chunk)
    parts.push(encoder.encode(samples.subarray(at, at + chunk)));
  parts.push(encoder.finish());
  return Buffer.concat(parts);
}

async function decode(
  bytes: Uint8Array,
  enableGapless: boolean,
): Promise<{ rateHz: number; pcm: Float32Array }> {
  const decoder = new MPEGDecoder({ enableGapless });
  await decoder.ready;
  const { channelData, sampleRate, errors } = decoder.decode(bytes);
  decoder.free();
  assert.deepEqual(errors, []);
  return { rateHz: sampleRate, pcm: channelData[0] ?? new Float32Array() };
}

async function decodeStereo(bytes: Uint8Array): Promise<Float32Array[]> {
  const decoder = new MPEGDecoder({ enableGapless: true });
  await decoder.ready;
  const { channelData, errors } = decoder.decode(bytes);
  decoder.free();
  assert.deepEqual(errors, []);
  return channelData;
}

test('the file is exactly as long as announced, at every length, rate and bit rate', async () => {
  for (const rateHz of rates) {
    for (const bitRateKbps of [32, 64] as const) {
      for (const samples of [0, 1, 575, 576, 577, 1151, 1152, 1153, 8000, 20_001]) {
        const shape = { rateHz, bitRateKbps, samples };
        assert.equal((await encode(testTones(samples, rateHz, 440), shape)).length, mp3Bytes(shape));
      }
    }
  }
});

test('plays back at its rate with its exact number of samples, in place', async () => {
  for (const rateHz of rates) {
    const samples = rateHz * 3 + 123;
    const signal = testTones(samples, rateHz, 440);
    const bytes = await encode(signal, { rateHz, bitRateKbps: 32, samples });
    const played = await decode(bytes, true);
    assert.equal(played.rateHz, rateHz);
    assert.equal(played.pcm.length, samples);
    const distance = distanceDb(signal, played.pcm);
    assert.ok(distance > 25, `${rateHz} Hz: ${distance.toFixed(1)} dB`);
    const raw = await decode(bytes, false);
    const shifted = distanceDb(signal, raw.pcm.subarray(mp3DelaySamples));
    assert.ok(shifted > 25, `${rateHz} Hz, a decoder without the tag: ${shifted.toFixed(1)} dB`);
  }
});

test('chunks of any size give the same bytes', async () => {
  const signal = testTones(9000, 8000, 700);
  const shape = { rateHz: 8000, bitRateKbps: 32, samples: 9000 } as const;
  const whole = await encode(signal, shape, 9000);
  for (const chunk of [1, 160, 577, 4096]) assert.deepEqual(await encode(signal, shape, chunk), whole);
});

test('every frame has the same header: constant bit rate, mono, no padding', async () => {
  const bytes = await encode(testTones(8000, 8000, 300), { rateHz: 8000, bitRateKbps: 32, samples: 8000 });
  assert.equal(bytes.length % 288, 0);
  for (let at = 0; at < bytes.length; at += 288) assert.equal(bytes.readUInt32BE(at), 0xffe348c4);
});

test('a bit rate that does not fit is refused, and a wrong number of samples noticed', async () => {
  const isRefusal = (error: unknown): boolean =>
    error instanceof CallreelError && error.code === 'REQUEST_INVALID';
  assert.equal(mp3InfoFrame({ rateHz: 8000, bitRateKbps: 8, samples: 0 }).length, 72);
  for (const rateHz of [16_000, 48_000] as const) {
    assert.throws(() => mp3InfoFrame({ rateHz, bitRateKbps: 8, samples: 0 }), isRefusal);
    assert.throws(() => new Mp3Encoder({ rateHz, bitRateKbps: 8, samples: 0 }), isRefusal);
  }
  const encoder = new Mp3Encoder({ rateHz: 8000, bitRateKbps: 32, samples: 10 });
  encoder.encode(new Int16Array(9));
  assert.throws(() => encoder.finish(), TypeError);
});

test('silence before the rest is the same bytes as silence that was encoded', async () => {
  for (const rateHz of rates)
    for (const bitRateKbps of [32, 64] as const)
      for (const lead of [1, 575, 64 * 576, 64 * 1152 + 1, 70 * 1152, 1_000_001]) {
        const audio = testTones(8000, rateHz, 440);
        const whole = new Int16Array(lead + audio.length);
        whole.set(audio, lead);
        const shape = { rateHz, bitRateKbps, samples: whole.length };
        const encoder = new Mp3Encoder(shape);
        const parts = [encoder.head(), ...encoder.encodeLeadingSilence(lead)];
        parts.push(encoder.encode(audio), encoder.finish());
        const label = `${lead} samples at ${rateHz} Hz, ${bitRateKbps} kbit/s`;
        assert.ok(Buffer.concat(parts).equals(await encode(whole, shape)), label);
      }
});

test('stereo: exactly as long as announced, and silence in front as silence that was encoded', async () => {
  for (const rateHz of rates) {
    const bitRateKbps = defaultMp3BitRateKbps(2);
    for (const samples of [0, 1, 576, 1152, 1153, 20_001]) {
      const shape = { rateHz, bitRateKbps, channels: 2, samples } as const;
      const signal = testTones(samples, rateHz, 440, 700);
      assert.equal((await encode(signal, shape)).length, mp3Bytes(shape));
    }
    const lead = 100_001;
    const audio = testTones(8000, rateHz, 440, 700);
    const whole = new Int16Array(2 * lead + audio.length);
    whole.set(audio, 2 * lead);
    const shape = { rateHz, bitRateKbps, channels: 2, samples: lead + 8000 } as const;
    const encoder = new Mp3Encoder(shape);
    const parts = [
      encoder.head(),
      ...encoder.encodeLeadingSilence(lead),
      encoder.encode(audio),
      encoder.finish(),
    ];
    assert.ok(Buffer.concat(parts).equals(await encode(whole, shape)));
  }
});

test('stereo: what is on one side is not heard on the other, alone or beside another tone', async () => {
  for (const rateHz of rates)
    for (const [left, right] of [
      [440, 0],
      [0, 700],
      [440, 700],
    ] as const) {
      const samples = 3 * rateHz + 11;
      const shape = { rateHz, bitRateKbps: defaultMp3BitRateKbps(2), channels: 2, samples } as const;
      const pcm = await decodeStereo(await encode(testTones(samples, rateHz, left, right), shape));
      assert.deepEqual(
        pcm.map(({ length }) => length),
        [samples, samples],
      );
      for (const [side, hertz] of [left, right].entries()) {
        if (hertz === 0) continue;
        const heard = toneDb(pcm[side]!, rateHz, hertz);
        const bled = toneDb(pcm[1 - side]!, rateHz, hertz);
        assert.ok(Math.abs(heard + 11.7) < 1, `${heard.toFixed(1)} dB`);
        assert.ok(heard - bled > 60, `${rateHz} Hz: ${hertz} Hz only ${(heard - bled).toFixed(1)} dB below`);
      }
    }
});

test('stereo frames say left and right, never joint', async () => {
  const shape = { rateHz: 8000, bitRateKbps: 64, channels: 2, samples: 8000 } as const;
  const bytes = await encode(testTones(8000, 8000, 300, 300), shape);
  assert.equal(bytes.length % 576, 0);
  for (let at = 0; at < bytes.length; at += 576) assert.equal(bytes.readUInt32BE(at) >>> 6, 0xffe38800 >>> 6);
});
