import type { Features } from './feature-sink.ts';

/** What `scripts/fit-quality.ts` found, and all that is needed to use it. */
export interface RegressionModel {
  /** Names of the features it looks at. */
  readonly inputs: readonly string[];
  readonly hiddenUnits: number;
  readonly nets: number;
  /** Base64 of half-precision numbers: mean and deviation of each input, then the nets (`netLength`) one by one. */
  readonly numbers: string;
}

/** Weights of a net: for each hidden unit those of the inputs and its bias, then those of the units and a bias. */
export function netLength(inputs: number, hiddenUnits: number): number {
  return hiddenUnits * (inputs + 1) + hiddenUnits + 1;
}

/** Inputs further from their mean than so many deviations are unlike all that was fitted, and are taken for these. */
export const inputLimit = 4;

/** A few small nets with one hidden layer (tanh) each; their answers are averaged. */
export class Regression {
  readonly #places: ReadonlyMap<string, number>;
  /** Of the features in the order in which they came last, which is always the same: names, and places or -1. */
  readonly #names: string[] = [];
  readonly #placesInOrder: number[] = [];
  readonly #hiddenUnits: number;
  readonly #means: Float32Array;
  readonly #deviations: Float32Array;
  readonly #nets: Float32Array[];

  constructor({ inputs, hiddenUnits, nets, numbers }: RegressionModel) {
    this.#places = new Map(inputs.map((name, place) => [name, place]));
    this.#hiddenUnits = hiddenUnits;
    const bytes = Uint8Array.from(Buffer.from(numbers, 'base64'));
    const all = Float32Array.from(new Float16Array(bytes.buffer));
    const length = netLength(inputs.length, hiddenUnits);
    const first = 2 * inputs.length;
    if (all.length !== first + nets * length) throw new TypeError('the model does not fit its numbers');
    this.#means = all.subarray(0, inputs.length);
    this.#deviations = all.subarray(inputs.length, first);
    this.#nets = Array.from({ length: nets }, (_, net) =>
      all.subarray(first + net * length, first + (net + 1) * length),
    );
  }

  /** @param features puts all features there are; those the model does not know are passed over */
  estimate(features: Features): number {
    const inputs = new Float32Array(this.#places.size);
    let next = 0;
    features((name, value) => {
      const at = next++;
      if (this.#names[at] !== name) {
        this.#names[at] = name;
        this.#placesInOrder[at] = this.#places.get(name) ?? -1;
      }
      const place = this.#placesInOrder[at]!;
      if (place < 0) return;
      const deviations = (value - this.#means[place]!) / this.#deviations[place]!;
      inputs[place] = Math.max(-inputLimit, Math.min(inputLimit, deviations));
    });
    const sum = this.#nets.reduce((total, net) => total + netOutput(net, inputs, this.#hiddenUnits), 0);
    return sum / this.#nets.length;
  }
}

function netOutput(net: Float32Array, inputs: Float32Array, hiddenUnits: number): number {
  const row = inputs.length + 1;
  const output = hiddenUnits * row;
  let sum = net[output + hiddenUnits]!;
  for (let unit = 0; unit < hiddenUnits; unit++)
    sum += net[output + unit]! * Math.tanh(activationOf(net, unit * row, inputs));
  return sum;
}

/** Four sums side by side: no addition waits for the one before. */
function activationOf(net: Float32Array, from: number, inputs: Float32Array): number {
  const { length } = inputs;
  let activation = net[from + length]!;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    activation += net[from + i]! * inputs[i]!;
    second += net[from + i + 1]! * inputs[i + 1]!;
    third += net[from + i + 2]! * inputs[i + 2]!;
    fourth += net[from + i + 3]! * inputs[i + 3]!;
  }
  for (; i < length; i++) activation += net[from + i]! * inputs[i]!;
  return activation + second + (third + fourth);
}
