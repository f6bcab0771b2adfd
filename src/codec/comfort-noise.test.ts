import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComfortNoise, comfortNoiseDbov, defaultComfortNoiseDbov } from './comfort-noise.ts';

function rmsDbov(samples: Int16Array): number {
  const meanSquare = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return 10 * Math.log10(meanSquare / 32_768 ** 2);
}

test('the level of a payload is its first byte, without the highest bit (RFC 3389 section 3.1)', () => {
  assert.equal(comfortNoiseDbov(Uint8Array.of(0)), -0);
  assert.equal(comfortNoiseDbov(Uint8Array.of(30)), -30);
  assert.equal(comfortNoiseDbov(Uint8Array.of(127)), -127);
  assert.equal(comfortNoiseDbov(Uint8Array.of(0x80 | 45, 1, 2, 3)), -45);
  assert.equal(comfortNoiseDbov(new Uint8Array(0)), undefined);
});

test('noise has the level asked for', () => {
  for (const levelDbov of [-20, -45, -60, -70]) {
    const out = new Int16Array(16_000);
    new ComfortNoise(levelDbov).write(out);
    assert.ok(Math.abs(rmsDbov(out) - levelDbov) < 0.5, `${levelDbov}: ${rmsDbov(out)}`);
  }
  const out = new Int16Array(16_000);
  new ComfortNoise().write(out);
  assert.ok(Math.abs(rmsDbov(out) - defaultComfortNoiseDbov) < 0.5);
});

test('the least level is silence, and the highest does not wrap', () => {
  const out = new Int16Array(8000).fill(1);
  new ComfortNoise(-127).write(out);
  assert.ok(out.every((sample) => sample === 0));
  new ComfortNoise(20).write(out);
  assert.ok(out.some((sample) => sample === 32_767) && out.some((sample) => sample === -32_768));
});

test('a new level is reached without a step, in blocks of any size', () => {
  const noise = new ComfortNoise(-70);
  const out = new Int16Array(16_000);
  noise.write(out, 0, 80);
  noise.levelDbov = -40;
  noise.write(out, 80, 160);
  noise.write(out, 160);
  assert.ok(rmsDbov(out.subarray(80, 120)) < -50);
  assert.ok(Math.abs(rmsDbov(out.subarray(8000)) - -40) < 0.5);
});

test('it is white: neighbours have nothing to do with each other', () => {
  const out = new Int16Array(16_000);
  new ComfortNoise(-30).write(out);
  for (const lag of [1, 2, 7, 160]) {
    let sum = 0;
    for (let i = lag; i < out.length; i++) sum += out[i]! * out[i - lag]!;
    const correlation = sum / out.reduce((energy, sample) => energy + sample * sample, 0);
    assert.ok(Math.abs(correlation) < 0.05, `${lag}: ${correlation}`);
  }
});
