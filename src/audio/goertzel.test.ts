import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goertzelDbov } from './goertzel.ts';
import { silenceDbov } from './level.ts';
import { tone } from './tone.ts';

const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not ${expected}`);

test('a tone between two bins keeps its level', () => {
  const samples = tone({ rateHz: 8000, frequencyHz: 1013.7, levelDbov: -20 }, 1600);
  near(goertzelDbov(samples, { rateHz: 8000, frequencyHz: 1013.7 }), -20, 0.01);
  near(goertzelDbov(samples, { rateHz: 8000, frequencyHz: 1013.7, window: 'rectangular' }), -20, 0.05);
});

test('with the Hann window a strong tone hides nothing 60 dB below it', () => {
  const loud = tone({ rateHz: 8000, frequencyHz: 1003, levelDbov: -6 }, 8000);
  const faint = tone({ rateHz: 8000, frequencyHz: 1500, levelDbov: -66 }, 8000);
  const both = loud.map((sample, i) => sample + faint[i]!);
  near(goertzelDbov(both, { rateHz: 8000, frequencyHz: 1500 }), -66, 0.5);
  assert.ok(goertzelDbov(loud, { rateHz: 8000, frequencyHz: 1500 }) < -90);
});

test('a range is looked at by itself', () => {
  const samples = new Int16Array(4000);
  samples.set(tone({ rateHz: 8000, frequencyHz: 770, levelDbov: -15 }, 1000), 2000);
  near(goertzelDbov(samples, { rateHz: 8000, frequencyHz: 770 }, 2000, 3000), -15, 0.05);
  assert.equal(goertzelDbov(samples, { rateHz: 8000, frequencyHz: 770 }, 0, 2000), silenceDbov);
  assert.equal(goertzelDbov(samples, { rateHz: 8000, frequencyHz: 770 }, 5, 5), silenceDbov);
});
