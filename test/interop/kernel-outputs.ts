import type { SampleKernel } from '../../src/codec/sample-kernel.ts';
import type { Kernel } from '../../src/quality/kernel.ts';
import { randomOf } from '../../src/quality/test-random.ts';
import { speech } from '../../src/testkit/speech.ts';

/** By what was reckoned. */
export type Outputs = Record<string, ArrayLike<number>>;

const signalSamples = 64_000;
const rowBytes = 10;
const fineRowBytes = 48;
const wholeBand = 9;
/** Not a multiple of what is taken at once. */
const oddCounts = [1, 7, 19, 101];

/** Of 8 s each, at 8 kHz. */
export async function testSignals(): Promise<Record<string, Int16Array>> {
  const random = randomOf(1);
  const noiseOf = (size: number) =>
    Int16Array.from({ length: signalSamples }, () => Math.round((2 * random() - 1) * size));
  const words = (await speech('english')).subarray(0, signalSamples);
  const halting = words.map((sample, index) => (index % 20_000 < 8000 ? 0 : sample));
  return {
    ...{ words, halting, noise: noiseOf(32_767), hiss: noiseOf(60) },
    extremes: Int16Array.from({ length: signalSamples }, () => (random() < 0.5 ? -32_768 : 32_767)),
    silence: new Int16Array(signalSamples),
  };
}

export function qualityOutputs(kernel: Kernel, signal: Int16Array): Outputs {
  const { run, state, levels, hopState } = kernel;
  const found: Outputs = {};
  /** Twice, since the second time goes on from the first. */
  const stateAfter = (step: (at: number) => void): Float64Array => {
    state.fill(0);
    for (let time = 0; time < 2; time++) step(run.state());
    return state.slice();
  };
  kernel.putSamples(signal, 0, signal.length);
  const count = run.bandLevels(signal.length);
  const fineCount = Math.ceil(count / 2);
  const rows = kernel.rows.slice(0, count * rowBytes);
  const fineRows = kernel.fineRows.slice(0, fineCount * fineRowBytes);
  Object.assign(found, { rows, fineRows });
  found.block = stateAfter(() => run.addBlock(count, fineCount));
  found.levels = stateAfter((at) => run.addLevels(at, count));
  found.fine = stateAfter((at) => run.addFine(at, fineCount));
  const ofWhole = Float64Array.from({ length: count }, (_, row) => rows[row * rowBytes + wholeBand]! / 2);
  const top = Math.max(...ofWhole);
  for (const verb of ['addSlopes', 'addFalls', 'addModulations', 'addEnvelope', 'addDrops'] as const) {
    const isAboveNoise = verb === 'addEnvelope' || verb === 'addDrops';
    found[verb] = [count, ...oddCounts].flatMap((many) => [
      ...stateAfter((at) => {
        levels.set(isAboveNoise ? ofWhole : ofWhole.map((level) => level - top));
        run[verb](at, many);
      }),
    ]);
  }
  found.bands = [count, ...oddCounts].flatMap((many) => {
    kernel.fineRows.set(fineRows);
    return [run.noiseLevel(many), run.topLevel(many)];
  });
  hopState.fill(0);
  for (const hop of [80, 160, 480]) {
    run.addHops(Math.floor(signal.length / hop), hop, 0.996, 0.996 ** hop, hop * 0.004 * 0.996 ** hop, 20);
    found[`hops of ${hop}`] = hopState.slice();
  }
  found.greatest = [signal.length, ...oddCounts].map((many) => run.greatest(many));
  run.clearSum(signal.length);
  for (const at of [0, 3, 0]) run.addToSum(at, signal.length - at);
  run.takeSum(signal.length);
  found.sum = kernel.samples.slice(0, signal.length);
  return found;
}

export function sampleOutputs(kernel: SampleKernel): Outputs {
  const random = randomOf(2);
  const bytes = Uint8Array.from({ length: 172 * 300 }, () => Math.floor(random() * 256));
  const found: Outputs = {};
  for (const law of ['ulaw', 'alaw'] as const)
    for (const payloadBytes of [160, 80, 33, 1]) {
      const payloads = { bytes, count: 299, payloadBytes, strideBytes: 172 };
      const out = new Int16Array(payloads.count * payloadBytes);
      kernel.decode(law, payloads, out, 0);
      found[`${law}, ${payloadBytes} bytes`] = out;
    }
  for (const side of [kernel.left, kernel.right])
    for (let index = 0; index < side.length; index++) side[index] = Math.floor((random() - 0.5) * 65_536);
  for (const many of [kernel.left.length, ...oddCounts]) {
    const out = new Int16Array(2 * many);
    kernel.interleave(many, out, 0);
    found[`${many} pairs`] = out;
  }
  return found;
}
