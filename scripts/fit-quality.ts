/**
 *   node scripts/fit-quality.ts [--voices DIR] [--speeches N] [--rooms N] [--observations FILE]
 *
 * Fits the models of src/quality/models to recorded voices (the fit set of bench/quality/voices.ts) in simulated rooms,
 * and writes them. The same every time. Most of the time goes into rooms and clips; what was seen of them is kept
 * in the file of observations, and a run with as many rooms goes on from there.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Clip,
  makeClips,
  makeHalls,
  makeNearRooms,
  makeRooms,
  noisesEach,
} from '../bench/quality/clip-sets.ts';
import { type Noise, scoredNoises } from '../bench/quality/clips.ts';
import { type FitOptions, fitNet, type Sample, standardised, standardOf } from '../bench/quality/fit-nets.ts';
import type { RoomResponse } from '../bench/quality/room.ts';
import { debianSounds, readVoices } from '../bench/quality/voices.ts';
import { toModelScale } from '../src/quality/model-scale.ts';
import type { RegressionModel } from '../src/quality/regression.ts';
import { SpeechStatistics, statisticsOf } from '../src/quality/speech-statistics.ts';

interface Observation {
  features: number[];
  noise: Noise;
  snrDb: number;
  rt60Seconds: number;
}

interface Fit {
  file: string;
  name: string;
  /** So many of all features are kept, at most. */
  inputs: number;
  /** So many are averaged. */
  nets: number;
  net: Omit<FitOptions, 'seed'>;
  takes(observation: Observation): boolean;
  wanted(observation: Observation): number;
  weight(observation: Observation): number;
}

/** What a voice recorded close in a dry booth counts as. */
const dryRt60Seconds = 0.08;
/** Halls and near microphones have speeches of their own. */
const firstHallSpeech = 20_000;
const firstNearSpeech = 30_000;
const models = join(import.meta.dirname, '../src/quality/models');

/** Where the noise is as loud as the speech there is little to learn of the room. */
function clearness({ snrDb }: Observation, halfDb: number): number {
  return 1 / (1 + Math.exp((halfDb - snrDb) / 4));
}

/** What is promised counts most: rooms that are neither dry nor halls, and the noises that are scored. */
function roomWeight(observation: Observation): number {
  const { noise, rt60Seconds } = observation;
  const isScored = (scoredNoises as readonly Noise[]).includes(noise);
  const isRoom = rt60Seconds >= 0.4 && rt60Seconds <= 1.7;
  const ofRoom = rt60Seconds < 0.1 ? 0.3 : isRoom ? 1 : 0.6;
  return (0.1 + clearness(observation, 0)) * ofRoom * (isScored ? 2 : 1);
}

const fits: Fit[] = [
  {
    file: 'snr-model.ts',
    name: 'snrModel',
    inputs: 160,
    nets: 3,
    net: { hiddenUnits: 16, epochs: 30, stepSize: 3e-3, shrinkage: 0.1, largeError: 2 },
    takes: () => true,
    wanted: ({ snrDb }) => snrDb,
    weight: () => 1,
  },
  {
    file: 'room-model.ts',
    name: 'roomModel',
    inputs: 400,
    nets: 10,
    net: { hiddenUnits: 6, epochs: 30, stepSize: 3e-3, shrinkage: 1.5e-2, largeError: 0.12 },
    takes: ({ rt60Seconds }) => rt60Seconds < 2.5,
    wanted: ({ rt60Seconds }) => rt60Seconds,
    weight: roomWeight,
  },
  {
    file: 'hall-model.ts',
    name: 'hallModel',
    inputs: 160,
    nets: 3,
    net: { hiddenUnits: 12, epochs: 30, stepSize: 3e-3, shrinkage: 1e-2, largeError: 0.3 },
    takes: () => true,
    wanted: ({ rt60Seconds }) => toModelScale(rt60Seconds),
    // Halls are few, and can be told from noise only where there is little of it.
    weight: (observation) =>
      (0.05 + clearness(observation, 5)) *
      (observation.rt60Seconds < 2 ? 1 : 0.3 + 4 / (1 + Math.exp((20 - observation.snrDb) / 3))),
  },
];

const { values } = parseArgs({
  options: {
    voices: { type: 'string', default: debianSounds },
    speeches: { type: 'string', default: '3600' },
    rooms: { type: 'string', default: '600' },
    observations: { type: 'string' },
  },
});
const names: string[] = [];
new SpeechStatistics().features((name) => names.push(name));
const voices = await readVoices('fit', values.voices);
const observations = [
  ...gather({
    to: Number(values.speeches),
    cache: '',
    rooms: () => [...makeRooms('fit', Number(values.rooms))],
  }),
  ...gather({
    from: firstHallSpeech,
    to: firstHallSpeech + 150,
    cache: '.halls',
    rooms: () => [...makeHalls(36)],
  }),
  ...gather({
    from: firstNearSpeech,
    to: firstNearSpeech + 600,
    cache: '.near',
    rooms: () => [...makeNearRooms(60)],
  }),
];
for (const fit of fits) {
  const text = modelFile(fit, modelOf(fit));
  await writeFile(join(models, fit.file), text);
  process.stdout.write(`${fit.file}: ${text.length} characters\n`);
}

interface Part {
  from?: number;
  to: number;
  /** What the file of observations has behind its name. */
  cache: string;
  rooms(): RoomResponse[];
}

function gather({ from = 0, to, cache, rooms }: Part): Observation[] {
  const file = values.observations ? values.observations + cache : undefined;
  const lines = file && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const known = Math.min(to - from, Math.floor(lines.length / noisesEach));
  const gathered = lines.slice(0, noisesEach * known).map((line) => JSON.parse(line) as Observation);
  if (from + known === to) return gathered;
  for (const clip of makeClips({ set: 'fit', voices, rooms: rooms(), from: from + known, to })) {
    const observation = observe(clip);
    gathered.push(observation);
    if (file) appendFileSync(file, `${JSON.stringify(observation)}\n`);
    if (gathered.length % 300 === 0) process.stdout.write(`${gathered.length} clips${cache}\n`);
  }
  return gathered;
}

function observe({ samples, noise, snrDb, rt60Seconds = dryRt60Seconds }: Clip): Observation {
  const features: number[] = [];
  statisticsOf(samples).features((_, value) => features.push(Math.round(1e4 * value) / 1e4));
  return { features, noise, snrDb, rt60Seconds };
}

/** Those inputs are kept that a first net listens to most. */
function modelOf(fit: Fit): RegressionModel {
  const taken = observations.filter((observation) => fit.takes(observation));
  const all = names.map((_, i) => i);
  const inputs = fit.inputs < all.length ? bestInputs(fitAll(fit, taken, all, 1)[0]!, fit) : all;
  const { means, deviations } = standardOf(rowsOf(taken, inputs));
  const fitted = fitAll(fit, taken, inputs, fit.nets);
  const numbers = [...means, ...deviations, ...fitted.flatMap((net) => [...net])];
  return {
    inputs: inputs.map((i) => names[i]!),
    hiddenUnits: fit.net.hiddenUnits,
    nets: fit.nets,
    numbers: Buffer.from(Float16Array.from(numbers).buffer).toString('base64'),
  };
}

function rowsOf(taken: readonly Observation[], inputs: readonly number[]): number[][] {
  return taken.map(({ features }) => inputs.map((i) => features[i]!));
}

function fitAll(
  fit: Fit,
  taken: readonly Observation[],
  inputs: readonly number[],
  count: number,
): Float64Array[] {
  const rows = rowsOf(taken, inputs);
  const standard = standardOf(rows);
  const samples: Sample[] = rows.map((row, i) => ({
    inputs: standardised(row, standard),
    wanted: fit.wanted(taken[i]!),
    weight: fit.weight(taken[i]!),
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
  const best = heard.sort((a, b) => b.sum - a.sum).slice(0, inputs);
  return best.map(({ input }) => input).sort((a, b) => a - b);
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
