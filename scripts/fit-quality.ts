/**
 *   node scripts/fit-quality.ts [--voices DIR] [--speeches N] [--rooms N]
 *
 * Fits the models of src/quality/models to recorded voices (the fit set of bench/quality/voices.ts) in simulated rooms,
 * and writes them. The same every time. An hour of one core, most of it for rooms and clips.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Clip, makeClips, makeRooms } from '../bench/quality/clip-sets.ts';
import { type FitOptions, fitNet, type Sample, standardised, standardOf } from '../bench/quality/fit-nets.ts';
import { debianSounds, readVoices } from '../bench/quality/voices.ts';
import type { RegressionModel } from '../src/quality/regression.ts';
import { toModelScale } from '../src/quality/rt60.ts';
import { statisticsOf } from '../src/quality/speech-statistics.ts';

interface Observation {
  features: number[];
  snrDb: number;
  rt60Seconds: number;
}

interface Fit {
  file: string;
  name: string;
  /** Inputs that are kept of all features. */
  inputs: number;
  net: Omit<FitOptions, 'seed'>;
  wanted(observation: Observation): number;
  weight(observation: Observation): number;
}

/** What a voice recorded close in a dry booth counts as. */
const dryRt60Seconds = 0.08;
const nets = 3;
const models = join(import.meta.dirname, '../src/quality/models');

const fits: Fit[] = [
  {
    file: 'snr-model.ts',
    name: 'snrModel',
    inputs: 160,
    net: { hiddenUnits: 16, epochs: 40, stepSize: 3e-3, shrinkage: 1e-3, largeError: 6 },
    wanted: ({ snrDb }) => snrDb,
    weight: () => 1,
  },
  {
    file: 'rt60-model.ts',
    name: 'rt60Model',
    inputs: 200,
    net: { hiddenUnits: 16, epochs: 40, stepSize: 3e-3, shrinkage: 1e-4, largeError: 0.5 },
    wanted: ({ rt60Seconds }) => toModelScale(rt60Seconds),
    // Where the noise is as loud as the speech there is little to learn of the room.
    weight: ({ snrDb }) => 0.05 + 1 / (1 + Math.exp((5 - snrDb) / 4)),
  },
];

const { values } = parseArgs({
  options: {
    voices: { type: 'string', default: debianSounds },
    speeches: { type: 'string', default: '1400' },
    rooms: { type: 'string', default: '300' },
  },
});
const voices = await readVoices('fit', values.voices);
const rooms = [...makeRooms('fit', Number(values.rooms))];
process.stdout.write(`${rooms.length} rooms\n`);
const names: string[] = [];
const observations: Observation[] = [];
for (const clip of makeClips({ set: 'fit', voices, rooms, speeches: Number(values.speeches) })) {
  observations.push(observe(clip));
  if (observations.length % 100 === 0) process.stdout.write(`${observations.length} clips\n`);
}
for (const fit of fits) {
  const text = modelFile(fit, modelOf(fit));
  await writeFile(join(models, fit.file), text);
  process.stdout.write(`${fit.file}: ${text.length} characters\n`);
}

function observe({ samples, snrDb, rt60Seconds = dryRt60Seconds }: Clip): Observation {
  names.length = 0;
  const features: number[] = [];
  statisticsOf(samples).features((name, value) => {
    names.push(name);
    features.push(value);
  });
  return { features, snrDb, rt60Seconds };
}

/** Those inputs are kept that a first net listens to most. */
function modelOf(fit: Fit): RegressionModel {
  const all = names.map((_, i) => i);
  const [first] = fitAll(fit, all, 1);
  const inputs = bestInputs(first!, fit).sort((a, b) => a - b);
  const { means, deviations } = standardOf(observations.map(({ features }) => inputs.map((i) => features[i]!)));
  const numbers = [...means, ...deviations, ...fitAll(fit, inputs, nets).flatMap((net) => [...net])];
  return {
    inputs: inputs.map((i) => names[i]!),
    hiddenUnits: fit.net.hiddenUnits,
    nets,
    numbers: Buffer.from(Float16Array.from(numbers).buffer).toString('base64'),
  };
}

function fitAll(fit: Fit, inputs: readonly number[], count: number): Float64Array[] {
  const rows = observations.map(({ features }) => inputs.map((i) => features[i]!));
  const standard = standardOf(rows);
  const samples: Sample[] = rows.map((row, i) => ({
    inputs: standardised(row, standard),
    wanted: fit.wanted(observations[i]!),
    weight: fit.weight(observations[i]!),
  }));
  return Array.from({ length: count }, (_, seed) => fitNet(samples, { ...fit.net, seed: seed + 1 }));
}

function bestInputs(net: Float64Array, { inputs, net: { hiddenUnits } }: Fit): number[] {
  const row = names.length + 1;
  const heard = names.map((_, input) => {
    let sum = 0;
    for (let unit = 0; unit < hiddenUnits; unit++)
      sum += Math.abs(net[unit * row + input]! * net[hiddenUnits * row + unit]!);
    return { input, sum };
  });
  return heard
    .sort((a, b) => b.sum - a.sum)
    .slice(0, inputs)
    .map(({ input }) => input);
}

function modelFile({ name }: Fit, { inputs, hiddenUnits, nets: count, numbers }: RegressionModel): string {
  return [
    '// Made by scripts/fit-quality.ts.',
    "import type { RegressionModel } from '../regression.ts';",
    '',
    `export const ${name}: RegressionModel = {`,
    '  inputs:',
    `    '${inputs.join(',')}'.split(','),`,
    `  hiddenUnits: ${hiddenUnits},`,
    `  nets: ${count},`,
    '  numbers:',
    `    '${numbers}',`,
    '};',
    '',
  ].join('\n');
}
