import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ConferenceRun, runConferences } from './capacity/conference-run.ts';
import { buildProgram } from './capacity/native-program.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';

const usage = `  --shapes 1x10,10x10,1x100   conferences x participants
  --seconds 60                measured
  --driver dgram              or ffi
  --repetitions 5             of each; medians are told
  --profile DIRECTORY         CPU profiles of every thread of the server (node --cpu-prof)`;

interface Shape {
  conferences: number;
  participants: number;
}

/**
 * Conferences in which everybody talks, recorded: the mix as a WAV file along with them, and a WAV file of each
 * participant, rendered at their ends.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      shapes: { type: 'string', default: '1x10,10x10,1x100' },
      seconds: { type: 'string', default: '60' },
      driver: { type: 'string' },
      repetitions: { type: 'string', default: '5' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- conference\n${usage}`);
  const shapes = values.shapes.split(',').map(shapeOf);
  const seconds = Number(values.seconds);
  const directory = mkdtempSync(join(tmpdir(), 'callreel-bench-'));
  try {
    const options = { load: await buildProgram('load', directory), audio: await StreamAudio.load() };
    const results: (Shape & { runs: ConferenceRun[] })[] = [];
    for (const shape of shapes) {
      const runs: ConferenceRun[] = [];
      for (let round = 1; round <= Number(values.repetitions); round++) {
        process.stderr.write(`${shape.conferences} x ${shape.participants}, round ${round}\n`);
        runs.push(
          await runConferences({
            ...options,
            ...shape,
            seconds,
            driver: values.driver,
            profile: values.profile,
          }),
        );
      }
      results.push({ ...shape, runs });
    }
    return report(results, seconds);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function shapeOf(text: string): Shape {
  const [, conferences, participants] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (conferences === undefined || participants === undefined) throw new Error(`no such shape: ${text}`);
  return { conferences: Number(conferences), participants: Number(participants) };
}

function report(results: readonly (Shape & { runs: ConferenceRun[] })[], seconds: number) {
  const cases = results.map(({ conferences, participants, runs }) => {
    const median = (value: (run: ConferenceRun) => number) => rounded(percentile(runs.map(value), 50));
    const sum = (value: (run: ConferenceRun) => number) => runs.reduce((all, each) => all + value(each), 0);
    return {
      ...{ conferences, participants },
      cpuSecondsPerParticipantMinute: median(
        (each) => each.liveSecondsPerMinute + each.renderSecondsPerMinute,
      ),
      renderedAtEnd: median((each) => each.renderSecondsPerMinute),
      rssPerParticipantMB: median((each) => each.memoryPerParticipantMB),
      gapSamples: sum(({ findings, mixGapSamples }) => findings.gapSamples + mixGapSamples),
      lostPackets: sum(({ findings }) => findings.lostPackets),
      unheardPackets: sum((each) => each.unheardPackets),
      tickLatenessP999Ms: Math.max(...runs.map((each) => each.tickLatenessP999Ms)),
      loadLatenessP999Us: Math.max(...runs.map(({ load }) => load.latenessP999Us)),
    };
  });
  process.stdout.write(`Conferences, G.711, everybody talks, mix and a file for each; ${seconds} s\n`);
  process.stdout.write(
    `${formatTable(
      [
        ...['', 'CPU s per participant-minute', 'of it at the end', 'MB each', 'gap samples', 'lost packets'],
        ...['not heard', 'tick p99.9 ms'],
      ],
      cases.map((row) => [
        ...[
          `${row.conferences} x ${row.participants}`,
          row.cpuSecondsPerParticipantMinute,
          row.renderedAtEnd,
        ],
        ...[row.rssPerParticipantMB, row.gapSamples, row.lostPackets, row.unheardPackets],
        row.tickLatenessP999Ms,
      ]),
    )}\n`,
  );
  for (const { conferences, participants, runs } of results) {
    const streamMinutes = (conferences * participants * seconds) / 60;
    process.stdout.write(
      `\n${formatTable(
        [`${conferences} x ${participants}: thread`, 'CPU s per participant-minute'],
        runs
          .at(-1)!
          .live.threads.slice(0, 12)
          .map(({ thread, cpuSeconds }) => [thread, rounded(cpuSeconds / streamMinutes)]),
      )}\n`,
    );
  }
  return {
    driver: results[0]?.runs[0]?.driver,
    seconds,
    repetitions: results[0]?.runs.length,
    cases,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
