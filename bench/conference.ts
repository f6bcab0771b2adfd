import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SilentKind } from './capacity/conference-check.ts';
import { type ConferenceRun, runConferences } from './capacity/conference-run.ts';
import { buildProgram } from './capacity/native-program.ts';
import { mostApartMs } from './capacity/recorded-calls.ts';
import { type ReferenceRun, runReference } from './capacity/reference-run.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';

const usage = `  --shapes 1x10,10x10,1x100   conferences x participants
  --talkers N                 of each conference so many talk; without it everybody does
  --silent packets            what the others send: packets of digital silence, or none
  --seconds 60                measured
  --driver auto               or ffi, dgram
  --repetitions 5             of each; medians are told
  --profile DIRECTORY         CPU profiles of every thread of the server (node --cpu-prof)`;

interface Shape {
  conferences: number;
  participants: number;
  talkers: number;
}

/** One shape, beside a reference of as many streams. */
interface Result {
  shape: Shape;
  reference: ReferenceRun;
  runs: ConferenceRun[];
}

/** Of the packets that a participant is sent: playout delays change now and then. */
const mostWrongShare = 0.01;

/**
 * Conferences, recorded: the mix as a WAV file along with them, and a WAV file of each participant, rendered at their
 * ends. What everybody hears, every channel and every mix is held to what was sent.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      shapes: { type: 'string', default: '1x10,10x10,1x100' },
      talkers: { type: 'string' },
      silent: { type: 'string', default: 'packets' },
      seconds: { type: 'string', default: '60' },
      driver: { type: 'string' },
      repetitions: { type: 'string', default: '5' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { driver, profile, silent, talkers } = values;
  if (values.help) throw new Error(`npm run bench -- conference\n${usage}`);
  if (silent !== 'packets' && silent !== 'none') throw new Error(`no such silence: ${silent}`);
  const shapes = values.shapes.split(',').map((shape) => shapeOf(shape, talkers));
  const seconds = Number(values.seconds);
  const directory = mkdtempSync(join(tmpdir(), 'callreel-bench-'));
  try {
    const programs = {
      load: await buildProgram('load', directory),
      recorder: await buildProgram('recorder', directory),
    };
    const audio = await StreamAudio.load();
    const results: Result[] = [];
    for (const shape of shapes) {
      tell(`${nameOf(shape)}: reference`);
      const calls = Math.ceil((shape.conferences * shape.participants) / 2);
      const reference = await runReference({ programs, audio, calls, seconds });
      const runs: ConferenceRun[] = [];
      for (let round = 1; round <= Number(values.repetitions); round++) {
        tell(`${nameOf(shape)}, round ${round}`);
        const { load } = programs;
        const one = await runConferences({ load, audio, ...shape, silent, seconds, driver, profile });
        // Hours may follow, and fail.
        tell(JSON.stringify(figuresOf({ shape, reference, runs: [one] }, seconds)));
        runs.push(one);
      }
      results.push({ shape, reference, runs });
    }
    return report(results, seconds, silent);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function shapeOf(text: string, talkers: string | undefined): Shape {
  const [, conferences, participants] = (/^(\d+)x(\d+)$/.exec(text) ?? []).map(Number);
  if (!conferences || !participants) throw new Error(`no such shape: ${text}`);
  return { conferences, participants, talkers: Math.min(participants, Number(talkers ?? participants)) };
}

function nameOf({ conferences, participants, talkers }: Shape): string {
  return `${conferences} x ${participants}${talkers < participants ? `, ${talkers} talk` : ''}`;
}

function figuresOf({ shape, reference, runs }: Result, seconds: number) {
  const { conferences, participants } = shape;
  const perMinute = (cpuSeconds: number) => (cpuSeconds * 60) / (conferences * participants * seconds);
  const perRecorded = ({ findings }: ConferenceRun, cpuSeconds: number) =>
    cpuSeconds / findings.participantMinutes;
  const renderedOf = (run: ConferenceRun) => perRecorded(run, run.rendering.cpuSeconds);
  const median = (value: (run: ConferenceRun) => number) => rounded(percentile(runs.map(value), 50));
  const sum = (value: (run: ConferenceRun) => number) => runs.reduce((all, each) => all + value(each), 0);
  const most = (value: (run: ConferenceRun) => number) => rounded(Math.max(...runs.map(value)));
  const cost = (run: ConferenceRun) => perMinute(run.live.cpuSeconds) + renderedOf(run);
  const streams = reference.totals.sent.length;
  const referenceCost = (reference.cpuSeconds * 60) / (streams * seconds);
  return {
    ...shape,
    cpuSecondsPerParticipantMinute: median(cost),
    referenceCpuSecondsPerParticipantMinute: rounded(referenceCost),
    ratio: median((run) => cost(run) / referenceCost),
    renderedAtEnd: median(renderedOf),
    endSecondsPerParticipantMinute: median((run) => perRecorded(run, run.end.cpuSeconds)),
    databaseCpuSecondsPerParticipantMinute: median(
      (run) => perMinute(run.live.databaseCpuSeconds) + perRecorded(run, run.rendering.databaseCpuSeconds),
    ),
    databaseEndSecondsPerParticipantMinute: median((run) => perRecorded(run, run.end.databaseCpuSeconds)),
    rssPerParticipantMB: median((run) => run.memoryPerParticipantMB),
    gapSamples: sum(({ findings }) => findings.gapSamples),
    lostPackets: sum(({ findings }) => findings.lostPackets),
    wrongMixSamples: sum(({ findings }) => findings.wrongMixSamples),
    placedApartMs: most(({ findings }) => findings.placedApartMs),
    unheardPackets: sum(({ heard }) => heard.unheardPackets),
    wrongHeardPackets: sum(({ heard }) => heard.wrongPackets),
    mostWrongShare: most(({ heard }) => heard.mostWrongShare),
    heardAfterMs: most(({ heard }) => heard.heardAfterMs),
    tickLatenessP999Ms: most((run) => run.tickLatenessP999Ms),
    loadLatenessP999Us: most(({ load }) => load.latenessP999Us),
    referenceMicrosecondsPerPacket: rounded(reference.microsecondsPerPacket),
    referenceGapSamples: reference.findings.gapSamples,
    referenceLostPackets: reference.findings.lostPackets + reference.totals.notRelayed,
    faults: runs.flatMap(({ findings }) => findings.faults),
  };
}

type Figures = ReturnType<typeof figuresOf>;

/** @returns what is not as it was sent, or never came */
function wrongOf(figures: Figures): string[] {
  const name = nameOf(figures);
  const isZero = [
    ...(['gapSamples', 'lostPackets', 'wrongMixSamples', 'unheardPackets'] as const),
    ...(['referenceGapSamples', 'referenceLostPackets'] as const),
  ];
  return [
    ...figures.faults.map((fault) => `${name}: ${fault}`),
    ...isZero.flatMap((key) => (figures[key] === 0 ? [] : [`${name}: ${key} is ${figures[key]}`])),
    ...(figures.mostWrongShare <= mostWrongShare
      ? []
      : [`${name}: ${figures.mostWrongShare} of what somebody heard is not the sum of the others`]),
    ...(figures.placedApartMs <= mostApartMs
      ? []
      : [`${name}: channels lie ${figures.placedApartMs} ms otherwise than they were sent`]),
  ];
}

function report(results: readonly Result[], seconds: number, silent: SilentKind) {
  const cases = results.map((result) => figuresOf(result, seconds));
  const runs = results.flatMap((result) => result.runs);
  const voidReason = [...results.map(({ reference }) => reference), ...runs].find(
    (each) => each.voidReason !== undefined,
  )?.voidReason;
  process.stdout.write(`Conferences, G.711, mix and a file for each; ${seconds} s\n`);
  process.stdout.write(`${tableOf(cases)}\n`);
  for (const result of results) process.stdout.write(`\n${threadTable(result, seconds)}\n`);
  return {
    ...{ driver: runs[0]?.driver, driverNote: runs[0]?.driverNote ?? null },
    ...worstOf(cases),
    ...{ seconds, silent, repetitions: results[0]?.runs.length },
    cases,
    ...{ voidReason: voidReason ?? null, shortcomings: cases.flatMap(wrongOf) },
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

/** Of all shapes, each as bad as it was anywhere. A participant is a call. */
function worstOf(cases: readonly Figures[]) {
  const most = (value: (figures: Figures) => number) => Math.max(...cases.map(value));
  return {
    calls: most(({ conferences, participants }) => conferences * participants),
    cpuSecondsPerCallMinute: most((each) => each.cpuSecondsPerParticipantMinute),
    referenceCpuSecondsPerCallMinute: most((each) => each.referenceCpuSecondsPerParticipantMinute),
    ratio: most((each) => each.ratio),
    rssPerCallMB: most((each) => each.rssPerParticipantMB),
    gapSamples: cases.reduce((sum, each) => sum + each.gapSamples, 0),
    lostPackets: cases.reduce((sum, each) => sum + each.lostPackets, 0),
    tickLatenessP999Ms: most((each) => each.tickLatenessP999Ms),
  };
}

function tableOf(cases: readonly Figures[]): string {
  return formatTable(
    [
      ...[
        '',
        'CPU s per participant-minute',
        'ratio',
        'of it files',
        'ends, beside it',
        'database',
        'MB each',
      ],
      ...['gap samples', 'lost packets', 'wrong in mix', 'not heard', 'heard wrong', 'tick p99.9 ms'],
    ],
    cases.map((row) => [
      ...[nameOf(row), row.cpuSecondsPerParticipantMinute, row.ratio, row.renderedAtEnd],
      ...[row.endSecondsPerParticipantMinute, row.databaseCpuSecondsPerParticipantMinute],
      ...[row.rssPerParticipantMB, row.gapSamples, row.lostPackets, row.wrongMixSamples],
      ...[row.unheardPackets, row.wrongHeardPackets, row.tickLatenessP999Ms],
    ]),
  );
}

/** Of the last round. */
function threadTable({ shape, runs }: Result, seconds: number): string {
  const minutes = (shape.conferences * shape.participants * seconds) / 60;
  return formatTable(
    [`${nameOf(shape)}: thread`, 'CPU s per participant-minute'],
    runs
      .at(-1)!
      .live.threads.slice(0, 12)
      .map(({ thread, cpuSeconds }) => [thread, rounded(cpuSeconds / minutes)]),
  );
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
