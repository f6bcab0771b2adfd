import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from '../codec/g711.ts';
import { partyTonesHz, tone } from './tone.ts';
import { toneLevelDbov, toneRatioDb } from './tone-level.ts';

const rateHz = 8000;

test('a sine measures the level it was made with', () => {
  for (const levelDbov of [-3.02, -15, -40]) {
    const samples = tone({ frequencyHz: 443, durationMs: 1000, levelDbov });
    const measured = toneLevelDbov(samples, rateHz, 443);
    assert.ok(Math.abs(measured - levelDbov) < 0.05, `${measured} for ${levelDbov}`);
  }
});

test('silence around the tone does not lower its level', () => {
  const samples = new Int16Array(24_000);
  samples.set(tone({ frequencyHz: 617, durationMs: 1000 }), 9000);
  assert.ok(Math.abs(toneLevelDbov(samples, rateHz, 617) + 15) < 0.1);
});

test('silence has no level', () => {
  assert.equal(toneLevelDbov(new Int16Array(8000), rateHz, 443), Number.NEGATIVE_INFINITY);
});

test('a tone 70 dB below another is measured to half a decibel', () => {
  const strong = tone({ frequencyHz: 1069, durationMs: 2000, levelDbov: -6 });
  const weak = tone({ frequencyHz: 1553, durationMs: 2000, levelDbov: -76 });
  const both = strong.map((sample, i) => sample + weak[i]!);
  // Rounded to whole samples, a tone of -76 dBov is a coarse thing.
  assert.ok(Math.abs(toneRatioDb(both, rateHz, 1069, 1553) - 70) < 0.5);
});

for (const [law, encode, decode] of [
  ['PCMU', encodeUlaw, decodeUlaw],
  ['PCMA', encodeAlaw, decodeAlaw],
] as const) {
  test(`after ${law} each party tone still stands 60 dB above every other`, () => {
    for (const own of partyTonesHz) {
      const payload = new Uint8Array(16_000);
      const decoded = new Int16Array(16_000);
      encode(tone({ frequencyHz: own, durationMs: 2000 }), payload);
      decode(payload, decoded);
      for (const other of partyTonesHz) {
        if (other === own) continue;
        const ratioDb = toneRatioDb(decoded, rateHz, own, other);
        assert.ok(ratioDb > 60, `${own} Hz over ${other} Hz: ${ratioDb.toFixed(1)} dB`);
      }
    }
  });
}
