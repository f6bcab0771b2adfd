import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resample } from '../audio/resample.ts';
import { createOpusEncoder } from '../codec/opus.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { ChannelReader } from './channel.ts';
import { frame, readAll, testNoise, testStream, testTone, testTrack } from './test-track.ts';

const at8k = { rateHz: 8000 };

test('a lossless run is its decoded payload, bit for bit, both laws', () => {
  for (const codec of ['PCMU', 'PCMA'] as const) {
    const { records, decoded } = testStream(testNoise(3000 * frame, 20_000), {
      codec,
      arrivalUs: (k) => 30_000 + k * 20_000 + ((k * 7) % 13) * 3000,
    });
    const channel = readAll(new ChannelReader(testTrack('a', records), at8k, 0), decoded.length + 240);
    assert.deepEqual(channel.subarray(240), decoded);
    assert.equal(
      channel.subarray(0, 240).some((sample) => sample !== 0),
      false,
    );
  }
});

const unconcealed = { rateHz: 8000, lossConcealment: 'off' } as const;

test('reordered and doubled packets change nothing, lost ones are silence of their length where asked', () => {
  const signal = testNoise(1000 * frame, 20_000);
  const { records, decoded } = testStream(signal, {
    arrivalUs: (k) => (k % 10 === 9 ? undefined : k * 20_000 + (k % 4 === 1 ? 55_000 : 0)),
  });
  const twice = records.flatMap((record, k) => (k % 6 === 3 ? [record, record] : [record]));
  const expected = decoded.slice();
  for (let k = 9; k < 1000; k += 10) expected.fill(0, k * frame, (k + 1) * frame);
  const channel = readAll(new ChannelReader(testTrack('a', twice), unconcealed, 0), expected.length);
  assert.deepEqual(channel, expected);
});

test('a pause of ten minutes is silence of ten minutes, and memory does not follow it', () => {
  const { records, decoded } = testStream(testNoise(100 * frame, 20_000));
  const later = testStream(testNoise(100 * frame, 20_000), {
    ssrc: 2,
    arrivalUs: (k) => 600_000_000 + k * 20_000,
  });
  const reader = new ChannelReader(testTrack('a', [...records, ...later.records]), at8k, 0);
  const channel = readAll(reader, 602 * 8000, 16_000);
  assert.deepEqual(channel.subarray(0, decoded.length), decoded);
  assert.deepEqual(channel.subarray(600 * 8000), later.decoded);
  assert.equal(
    channel.subarray(decoded.length, 600 * 8000).some((sample) => sample !== 0),
    false,
  );
});

/** G.711, then Opus under the same SSRC, then G.711 again; with a gap in each. */
function changingRecords(): SpoolRecord[] {
  const drop = (k: number): number | undefined => (k % 50 === 20 ? undefined : k * 20_000);
  const first = testStream(testTone(150 * frame, 440, 9000), { arrivalUs: drop });
  const encoder = createOpusEncoder(8000);
  const opus: SpoolRecord[] = [
    { kind: 'format', codec: 'OPUS', clockRateHz: 48_000, payloadType: 111, ssrc: 1 },
  ];
  const signal = testTone(150 * frame, 440, 9000);
  const out = new Uint8Array(1500);
  for (let k = 0; k < 150; k += 1) {
    const bytes = encoder.encode(signal.subarray(k * frame, (k + 1) * frame), out);
    const payload = out.slice(0, bytes);
    if (k === 70) continue;
    const arrivalUs = 3_000_000 + k * 20_000;
    opus.push({ kind: 'packet', sequenceNumber: 114 + k, rtpTime: k * 960, arrivalUs, payload });
  }
  const last = testStream(testTone(150 * frame, 440, 9000), {
    codec: 'PCMA',
    firstSequence: 264,
    arrivalUs: (k) => 6_000_000 + (drop(k) ?? Number.NaN),
  });
  return [
    ...first.records,
    ...opus,
    ...last.records.filter((each) => each.kind !== 'packet' || !Number.isNaN(each.arrivalUs)),
  ];
}

test('any range is the same part of the whole, at any rate and with stateful codecs', () => {
  const track = testTrack('a', changingRecords());
  for (const rateHz of [8000, 16_000, 48_000]) {
    const samples = 9 * rateHz;
    const whole = readAll(new ChannelReader(track, { rateHz }, 0), samples);
    for (const from of [1, 159, 3 * rateHz - 7, 4.3 * rateHz, 6 * rateHz + 1, 8.5 * rateHz]) {
      const length = Math.min(rateHz, samples - from);
      const part = readAll(new ChannelReader(track, { rateHz }, from), length, 411);
      assert.deepEqual(part, whole.subarray(from, from + length), `${rateHz} Hz from ${from}`);
    }
    // Each codec is heard at its level.
    for (const second of [1, 4, 7]) {
      const part = whole.subarray(second * rateHz, (second + 0.3) * rateHz);
      const power = part.reduce((sum, sample) => sum + sample ** 2, 0) / part.length;
      const expected = 9000 / Math.SQRT2;
      assert.ok(
        Math.abs(20 * Math.log10(Math.sqrt(power) / expected)) < 1,
        `second ${second} at ${rateHz} Hz`,
      );
    }
  }
});

test('a lower codec in a wider recording is one resampled stretch, without seams', () => {
  const { records, decoded } = testStream(testTone(500 * frame, 1000, 9000));
  for (const rateHz of [16_000, 48_000]) {
    const expected = resample(decoded, 8000, rateHz);
    const channel = readAll(new ChannelReader(testTrack('a', records), { rateHz }, 0), expected.length);
    assert.deepEqual(channel, expected);
  }
});
