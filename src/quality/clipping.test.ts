import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clipping } from './clipping.ts';

function shareOf(samples: number[], chunk = samples.length): number {
  const clipping = new Clipping();
  for (let at = 0; at < samples.length; at += chunk)
    clipping.push(Int16Array.from(samples), at, Math.min(samples.length, at + chunk));
  return clipping.share;
}

const sine = (amplitude: number): number[] =>
  Array.from({ length: 8000 }, (_, i) =>
    Math.max(-32_768, Math.min(32_767, Math.round(amplitude * Math.sin((2 * Math.PI * 200 * i) / 8000)))),
  );

test('what touches full scale is not clipped, what stays there is', () => {
  assert.equal(shareOf(sine(32_000)), 0);
  // Over |sin| > 1/2, two thirds of the time.
  assert.ok(Math.abs(shareOf(sine(65_000)) - 2 / 3) < 0.06, `${shareOf(sine(65_000))}`);
});

test('the most that G.711 can say is full scale too', () => {
  assert.equal(shareOf([0, 32_124, 32_124, 32_124, 0]), 3 / 5);
  assert.equal(shareOf([0, -32_256, -32_256, -32_256, -32_256]), 4 / 5);
});

test('a run counts from its third sample on, on one side, across blocks', () => {
  assert.equal(shareOf([32_767, 32_767, 0, 32_767, 32_767]), 0);
  assert.equal(shareOf([32_767, 32_767, -32_768, -32_768]), 0);
  assert.equal(shareOf([32_767, 32_767, 32_767, 32_767], 1), 1);
});

test('of nothing nothing is clipped', () => {
  assert.equal(shareOf([], 1), 0);
});
