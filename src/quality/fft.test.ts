import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fft } from './fft.ts';
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
