import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Regression } from '../../src/quality/regression.ts';
import { seededRandom } from '../../src/testkit/random.ts';
import { type FitOptions, fitNet, standardised, standardOf } from './fit-nets.ts';

const options: FitOptions = {
  hiddenUnits: 6,
  epochs: 150,
  stepSize: 1e-2,
  shrinkage: 1e-5,
  largeError: 5,
  seed: 1,
};

/** A curve over two inputs; a third says nothing. */
const curve = (a: number, b: number): number => 3 + 2 * Math.sin(a) + a * b;

test('a net learns a curve, and Regression reads it as it was fitted', () => {
  const random = seededRandom(3);
  const rows = Array.from({ length: 1500 }, () => [4 * random() - 2, 40 + 20 * random(), random()]);
  const wantedOf = ([a, b]: number[]): number => curve(a!, (b! - 50) / 10);
  const standard = standardOf(rows);
  const samples = rows.map((row) => ({
    inputs: standardised(row, standard),
    wanted: wantedOf(row),
    weight: 1,
  }));
  const net = fitNet(samples.slice(0, 1200), options);
  assert.deepEqual(fitNet(samples.slice(0, 50), options), fitNet(samples.slice(0, 50), options));
  const numbers = Float16Array.from([...standard.means, ...standard.deviations, ...net]);
  const regression = new Regression({
    inputs: ['a', 'b', 'c'],
    hiddenUnits: options.hiddenUnits,
    nets: 1,
    numbers: Buffer.from(numbers.buffer).toString('base64'),
  });
  const errors = rows.slice(1200).map((row) => {
    const said = regression.estimate((put) => {
      for (const [i, name] of ['a', 'b', 'c'].entries()) put(name, row[i]!);
    });
    return Math.abs(said - wantedOf(row));
  });
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  assert.ok(mean < 0.15, `mean error ${mean}`);
});
