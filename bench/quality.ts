import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { QualityMeter } from '../src/quality/quality-meter.ts';
import { type Clip, makeClips, makeRooms } from './quality/clip-sets.ts';
import { clipRateHz, type Noise, noises, scoredNoises } from './quality/clips.ts';
import { debianSounds, readVoices, voiceFolders } from './quality/voices.ts';
import { formatTable } from './table.ts';

interface Score {
  noise: Noise;
  /** What the clip was made with. */
  snrDb: number;
  rt60Seconds: number | undefined;
  /** What the meter says. */
  saidSnrDb: number;
  saidRt60Seconds: number;
}

type InRoom = Score & { rt60Seconds: number };

/** A packet's worth. */
const pushSamples = 160;

/**
 *   npm run bench -- quality [--voices DIR] [--speeches N] [--rooms N]
 *
 * The quality figures against the truth, on clips of 20 s of voices and rooms that the models were not fitted to.
 */
export async function run(options: string[]): Promise<object> {
  const { values } = parseArgs({
    args: options,
    options: {
      voices: { type: 'string', default: debianSounds },
      speeches: { type: 'string', default: '200' },
      rooms: { type: 'string', default: '80' },
    },
  });
  const fitted: readonly string[] = voiceFolders.fit;
  assert.ok(!voiceFolders.score.some((name) => fitted.includes(name)));
  const voices = await readVoices('score', values.voices);
  const rooms = [...makeRooms('score', Number(values.rooms))];
  const all: Score[] = [];
  for (const clip of makeClips({ set: 'score', voices, rooms, to: Number(values.speeches) }))
    all.push(score(clip));
  const scored = all.filter(({ noise }) => (scoredNoises as readonly Noise[]).includes(noise));
  const inRooms = scored.filter((each): each is InRoom => each.rt60Seconds !== undefined);
  process.stdout.write(`${snrTable(all, scored)}\n\n${rt60Table(inRooms)}\n`);
  return {
    snrMaeDryDb: rounded(snrError(scored.filter(({ rt60Seconds }) => rt60Seconds === undefined))),
    snrMaeAllDb: rounded(snrError(scored)),
    rt60MaeSeconds: rounded(rt60Error(inRooms)),
    rt60Correlation: rounded(correlation(inRooms)),
    clips: scored.length,
  };
}

function score({ samples, noise, snrDb, rt60Seconds }: Clip): Score {
  const meter = new QualityMeter(clipRateHz);
  for (let at = 0; at < samples.length; at += pushSamples)
    meter.push(samples, at, Math.min(samples.length, at + pushSamples));
  const figures = meter.figures();
  // A clip in which no speech is found counts with what is said of it then.
  return {
    noise,
    snrDb,
    rt60Seconds,
    saidSnrDb: figures.snrDb ?? 0,
    saidRt60Seconds: figures.rt60Seconds ?? 0,
  };
}

function snrTable(all: readonly Score[], scored: readonly Score[]): string {
  const row = (name: string, clips: readonly Score[]): (string | number)[] => [
    name,
    clips.length,
    snrError(clips.filter(({ rt60Seconds }) => rt60Seconds === undefined)).toFixed(2),
    snrError(clips.filter(({ rt60Seconds }) => rt60Seconds !== undefined)).toFixed(2),
    ...[0, 10, 20, 30].map((from) =>
      snrError(clips.filter(({ snrDb }) => snrDb >= from && snrDb < from + 10)).toFixed(2),
    ),
    snrError(clips).toFixed(2),
  ];
  const head = ['SNR error, dB', 'clips', 'dry', 'in rooms', '0-10', '10-20', '20-30', '30-40', 'all'];
  const rows = noises.map((noise) =>
    row(
      noise,
      all.filter((each) => each.noise === noise),
    ),
  );
  return formatTable(head, [...rows, row('the first four', scored)]);
}

function rt60Table(inRooms: readonly InRoom[]): string {
  const row = (name: string, clips: readonly InRoom[]): (string | number)[] => [
    name,
    clips.length,
    ...[0.15, 0.4, 0.8, 1.2].map((from, at, borders) => {
      const to = borders[at + 1] ?? 1.61;
      return rt60Error(clips.filter((each) => each.rt60Seconds >= from && each.rt60Seconds < to)).toFixed(3);
    }),
    rt60Error(clips).toFixed(3),
    correlation(clips).toFixed(3),
  ];
  const head = ['RT60 error, s', 'clips', '0.15-0.4', '0.4-0.8', '0.8-1.2', '1.2-1.6', 'all', 'correlation'];
  const bySnr = [0, 10, 20, 30].map((from) =>
    row(
      `at ${from} to ${from + 10} dB SNR`,
      inRooms.filter(({ snrDb }) => snrDb >= from && snrDb < from + 10),
    ),
  );
  const clear = row(
    'at 10 dB and more',
    inRooms.filter(({ snrDb }) => snrDb >= 10),
  );
  return formatTable(head, [...bySnr, clear, row('all', inRooms)]);
}

function snrError(clips: readonly Score[]): number {
  return mean(clips.map(({ snrDb, saidSnrDb }) => Math.abs(saidSnrDb - snrDb)));
}

function rt60Error(clips: readonly InRoom[]): number {
  return mean(clips.map(({ rt60Seconds, saidRt60Seconds }) => Math.abs(saidRt60Seconds - rt60Seconds)));
}

/** Pearson's, of what is said with what is true. */
function correlation(clips: readonly InRoom[]): number {
  const trueMean = mean(clips.map(({ rt60Seconds }) => rt60Seconds));
  const saidMean = mean(clips.map(({ saidRt60Seconds }) => saidRt60Seconds));
  let both = 0;
  let trueSquares = 0;
  let saidSquares = 0;
  for (const { rt60Seconds, saidRt60Seconds } of clips) {
    both += (rt60Seconds - trueMean) * (saidRt60Seconds - saidMean);
    trueSquares += (rt60Seconds - trueMean) ** 2;
    saidSquares += (saidRt60Seconds - saidMean) ** 2;
  }
  return both / Math.sqrt(trueSquares * saidSquares);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
