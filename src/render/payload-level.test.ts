import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanSquareToDbov, rmsDbov } from '../audio/level.ts';
import type { CodecName, Encoder } from '../codec/codec.ts';
import { createG711Encoder } from '../codec/g711.ts';
import { createG722Encoder } from '../codec/g722.ts';
import { createOpusEncoder } from '../codec/opus.ts';
import type { FormatRecord } from '../spool/records.ts';
import { PayloadLevel } from './payload-level.ts';
import { testNoise, testTone } from './test-track.ts';

const formatOf = (codec: CodecName): FormatRecord => {
  return { kind: 'format', codec, clockRateHz: codec === 'OPUS' ? 48_000 : 8000, payloadType: 0, ssrc: 1 };
};

/** What a decoder gives that has missed what came before is not as exact. */
const bearableDb = { PCMU: 1, PCMA: 1, G722: 2, OPUS: 7 };
const encoders: [keyof typeof bearableDb, () => Encoder][] = [
  ['PCMU', () => createG711Encoder('ulaw')],
  ['PCMA', () => createG711Encoder('alaw')],
  ['G722', () => createG722Encoder()],
  ['OPUS', () => createOpusEncoder(16_000)],
];

for (const [codec, create] of encoders) {
  test(`${codec}: packets are as loud as what is in them`, () => {
    const encoder = create();
    const { rateHz } = encoder;
    const frame = rateHz / 50;
    const signals = [
      testNoise(rateHz, 3000),
      testTone(rateHz, 1000, 9000, rateHz),
      testTone(rateHz, 440, 300, rateHz),
    ];
    for (const samples of signals) {
      const level = new PayloadLevel();
      const payload = new Uint8Array(2000);
      const told: number[] = [];
      for (let at = 0; at < samples.length; at += frame) {
        const bytes = encoder.encode(samples.subarray(at, at + frame), payload);
        told.push(level.of(formatOf(codec), payload.slice(0, bytes), (at / rateHz) * 1e6));
      }
      level.close();
      const settled = told.slice(20);
      const dbov = meanSquareToDbov(settled.reduce((sum, each) => sum + each) / settled.length);
      assert.ok(Math.abs(dbov - rmsDbov(samples)) < bearableDb[codec], `${dbov} and ${rmsDbov(samples)}`);
    }
  });
}

test('comfort noise and silence are silent', () => {
  const level = new PayloadLevel();
  assert.equal(level.of(formatOf('CN'), Uint8Array.of(40), 0), 0);
  assert.equal(level.of(formatOf('PCMU'), new Uint8Array(160).fill(0xff), 0), 0);
  assert.equal(level.of(formatOf('PCMU'), new Uint8Array(0), 0), 0);
  assert.ok(meanSquareToDbov(level.of(formatOf('PCMA'), new Uint8Array(160).fill(0xd5), 0)) < -70);
});
