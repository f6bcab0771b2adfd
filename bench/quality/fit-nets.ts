import { inputLimit, netLength } from '../../src/quality/regression.ts';
import { type Random, seededRandom } from '../../src/testkit/random.ts';

export interface FitOptions {
  hiddenUnits: number;
  epochs: number;
  /** Of Adam, at the beginning; it falls to 0 as a cosine. */
  stepSize: number;
  /** Weights shrink by this share of themselves, in units of the gradient. */
  shrinkage: number;
  /** Errors count by their square up to this, by their size beyond. */
  largeError: number;
  seed: number;
}

export interface Sample {
  /** In deviations from their means. */
  inputs: Float64Array;
  wanted: number;
  weight: number;
}

const batch = 64;

/** Fits one net (as `Regression` reads it) by Adam. The same for the same samples and seed. */
export function fitNet(samples: readonly Sample[], options: FitOptions): Float64Array {
  const { hiddenUnits, epochs, stepSize, seed } = options;
  const inputs = samples[0]!.inputs.length;
  const random = seededRandom(seed);
  const net = firstNet(inputs, hiddenUnits, meanWanted(samples), random);
  const gradient = new Float64Array(net.length);
  const mean = new Float64Array(net.length);
  const square = new Float64Array(net.length);
  const order = samples.map((_, i) => i);
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    const size = stepSize * 0.5 * (1 + Math.cos((Math.PI * epoch) / epochs));
    for (let from = 0; from < order.length; from += batch) {
      const chosen = order.slice(from, from + batch);
      gradient.fill(0);
      for (const i of chosen) addGradient(gradient, net, samples[i]!, options, chosen.length);
      shrink(gradient, net, inputs, options);
      step += 1;
      const meanScale = 1 / (1 - 0.9 ** step);
      const squareScale = 1 / (1 - 0.999 ** step);
      for (let i = 0; i < net.length; i++) {
        mean[i] = 0.9 * mean[i]! + 0.1 * gradient[i]!;
        square[i] = 0.999 * square[i]! + 0.001 * gradient[i]! ** 2;
        net[i]! -= (size * mean[i]! * meanScale) / (Math.sqrt(square[i]! * squareScale) + 1e-8);
      }
    }
  }
  return net;
}

function meanWanted(samples: readonly Sample[]): number {
  const weight = samples.reduce((sum, each) => sum + each.weight, 0);
  return samples.reduce((sum, each) => sum + each.weight * each.wanted, 0) / weight;
}

function firstNet(inputs: number, hiddenUnits: number, bias: number, random: Random): Float64Array {
  const net = new Float64Array(netLength(inputs, hiddenUnits));
  const row = inputs + 1;
  for (let unit = 0; unit < hiddenUnits; unit++) {
    for (let i = 0; i < inputs; i++) net[unit * row + i] = normal(random) / Math.sqrt(inputs);
    net[hiddenUnits * row + unit] = normal(random) / Math.sqrt(hiddenUnits);
  }
  net[net.length - 1] = bias;
  return net;
}

const activations = new Float64Array(256);

function addGradient(
  gradient: Float64Array,
  net: Float64Array,
  { inputs, wanted, weight }: Sample,
  { hiddenUnits, largeError }: FitOptions,
  count: number,
): void {
  const row = inputs.length + 1;
  const output = hiddenUnits * row;
  let answer = net[output + hiddenUnits]!;
  for (let unit = 0; unit < hiddenUnits; unit++) {
    let sum = net[unit * row + inputs.length]!;
    for (let i = 0; i < inputs.length; i++) sum += net[unit * row + i]! * inputs[i]!;
    activations[unit] = Math.tanh(sum);
    answer += net[output + unit]! * activations[unit]!;
  }
  const error = Math.max(-largeError, Math.min(largeError, answer - wanted));
  const slope = (weight * error) / count;
  gradient[output + hiddenUnits]! += slope;
  for (let unit = 0; unit < hiddenUnits; unit++) {
    gradient[output + unit]! += slope * activations[unit]!;
    const inner = slope * net[output + unit]! * (1 - activations[unit]! ** 2);
    gradient[unit * row + inputs.length]! += inner;
    for (let i = 0; i < inputs.length; i++) gradient[unit * row + i]! += inner * inputs[i]!;
  }
}

/** All but the biases. */
function shrink(gradient: Float64Array, net: Float64Array, inputs: number, options: FitOptions): void {
  const row = inputs + 1;
  const { hiddenUnits, shrinkage } = options;
  for (let i = 0; i < net.length - 1; i++) {
    const isBias = i < hiddenUnits * row && i % row === inputs;
    if (!isBias) gradient[i]! += shrinkage * net[i]!;
  }
}

function shuffle(order: number[], random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface Standard {
  means: number[];
  deviations: number[];
}

/** Means and deviations of the columns. */
export function standardOf(rows: readonly (readonly number[])[]): Standard {
  const means = rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
  const deviations = means.map((mean, i) =>
    Math.max(1e-3, Math.sqrt(rows.reduce((sum, row) => sum + (row[i]! - mean) ** 2, 0) / rows.length)),
  );
  return { means, deviations };
}

/** As `Regression` sees them. */
export function standardised(row: readonly number[], { means, deviations }: Standard): Float64Array {
  return Float64Array.from(row, (value, i) =>
    Math.max(-inputLimit, Math.min(inputLimit, (value - means[i]!) / deviations[i]!)),
  );
}
