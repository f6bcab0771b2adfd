import assert from 'node:assert/strict';
import { test } from 'node:test';
import { netLength, Regression, type RegressionModel } from './regression.ts';

function model(nets: number[][]): RegressionModel {
  const numbers = [10, 100, 2, 50, ...nets.flat()];
  return {
    inputs: ['a', 'b'],
    hiddenUnits: 2,
    nets: nets.length,
    numbers: Buffer.from(Float16Array.from(numbers).buffer).toString('base64'),
  };
}

// Unit 1 listens to a, unit 2 to b with a bias; the answer has a bias of 5.
const net = [1, 0, 0, 0, 1, 0.5, 2, -4, 5];
const estimate = (nets: number[][], a: number, b: number): number =>
  new Regression(model(nets)).estimate((put) => {
    put('b', b);
    put('unknown', 1e9);
    put('a', a);
  });

test('the sum of the units, each a tanh of its inputs in deviations from their means', () => {
  assert.equal(net.length, netLength(2, 2));
  const wanted = 5 + 2 * Math.tanh(0.75) - 4 * Math.tanh(-0.2 + 0.5);
  assert.ok(Math.abs(estimate([net], 11.5, 90) - wanted) < 1e-5);
});

test('nets are averaged', () => {
  const other = [0, 0, 0, 0, 0, 0, 0, 0, 9];
  assert.equal(estimate([net, other], 12, 70), (estimate([net], 12, 70) + 9) / 2);
});

test('what is unlike all that was fitted counts as the utmost of it', () => {
  assert.equal(estimate([net], 1e6, -1e6), estimate([net], 18, -100));
  assert.notEqual(estimate([net], 17.9, -100), estimate([net], 18, -100));
});

test('a model whose numbers are missing is a mistake', () => {
  assert.throws(() => new Regression({ ...model([net]), hiddenUnits: 3 }), TypeError);
});
