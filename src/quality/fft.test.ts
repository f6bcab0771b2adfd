import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fft, RealPower } from './fft.ts';
import { randomOf } from './test-random.ts';

for (const length of [2, 8, 256]) {
  test(`a transform of ${length} is the sum it stands for`, () => {
    const random = randomOf(length);
    const real = Float64Array.from({ length }, random);
    const imaginary = Float64Array.from({ length }, random);
    const fft = new Fft(length);
    // Twice: the tables serve again.
    fft.transform(real.slice(), imaginary.slice());
    const [re, im] = [real.slice(), imaginary.slice()];
    fft.transform(re, im);
    for (let k = 0; k < length; k++) {
      let sumRe = 0;
      let sumIm = 0;
      for (let n = 0; n < length; n++) {
        const angle = (-2 * Math.PI * k * n) / length;
        sumRe += real[n]! * Math.cos(angle) - imaginary[n]! * Math.sin(angle);
        sumIm += real[n]! * Math.sin(angle) + imaginary[n]! * Math.cos(angle);
      }
      assert.ok(Math.abs(re[k]! - sumRe) < 1e-9 && Math.abs(im[k]! - sumIm) < 1e-9, `bin ${k}`);
    }
  });
}

for (const length of [4, 8, 256]) {
  test(`the power of ${length} real samples is that of their transform`, () => {
    const random = randomOf(length);
    const samples = Float64Array.from({ length }, random);
    const [re, im] = [samples.slice(), new Float64Array(length)];
    new Fft(length).transform(re, im);
    const power = new RealPower(length);
    for (const [i, sample] of samples.entries()) (i % 2 === 0 ? power.even : power.odd)[i >> 1] = sample;
    power.transform();
    let whole = 0;
    for (let k = 1; k < length / 2; k++) {
      const expected = re[k]! ** 2 + im[k]! ** 2;
      assert.ok(Math.abs(power.sum(k, k + 1) - expected) < 1e-9, `bin ${k}`);
      whole += expected;
    }
    assert.ok(Math.abs(power.sum(1, length / 2) - whole) < 1e-9);
  });
}
