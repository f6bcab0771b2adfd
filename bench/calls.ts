import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FileFormat } from './capacity/bench-server.ts';
import { mostBefore } from './capacity/load-generator.ts';
import { buildProgram } from './capacity/native-program.ts';
import { mostApartMs } from './capacity/recorded-calls.ts';
import { type PromisedWork, promisedWorks, type RecordedWork, works } from './capacity/recorded-work.ts';
import { type RecorderRun, type RecorderRunOptions, runRecorder } from './capacity/recorder-run.ts';
import { type ReferenceRun, runReference } from './capacity/reference-run.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';

/** What it took on the machine that the goals were set on. */
const aimedReferenceUs = 4.5;

const usage = `  --calls 500          two-party calls at once
  --seconds 60         measured
  --driver auto        or ffi, dgram
  --steering auto      or off (rtp.steering)
  --format wav         or mp3: of the file written along
  --repetitions 5      of each; medians are told
  --without-spool-row  not the row with the spool alone
  --promises srtp,mp3-to-s3,sift   rows of one run each; '' for none
  --profile DIRECTORY  CPU profiles of every thread of the server (node --cpu-prof)`;

const titles: Record<PromisedWork, string> = {
  srtp: 'SRTP both ways, wav along',
  'mp3-to-s3': 'mp3 to an S3 storage',
  sift: 'Sift: a conference of two, all its files',
};

interface Round {
  reference: ReferenceRun;
  files: RecorderRun;
  spool: RecorderRun | undefined;
}

/** Row of a promise, beside a reference of its own. */
interface PromisedRun {
  name: PromisedWork;
  reference: ReferenceRun;
  run: RecorderRun;
}

/**
 * Two-party calls, G.711 both ways, relayed and recorded: what a minute of one costs the server, beside what it costs a
 * C program that does the least a recorder has to, in the same minute and on the same streams.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '60' },
      driver: { type: 'string' },
      steering: { type: 'string' },
      format: { type: 'string', default: 'wav' },
      repetitions: { type: 'string', default: '5' },
      'without-spool-row': { type: 'boolean', default: false },
      promises: { type: 'string', default: promisedWorks.join(',') },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { format, driver, steering, profile } = values;
  if (values.help) throw new Error(`npm run bench -- calls\n${usage}`);
  if (format !== 'wav' && format !== 'mp3') throw new Error(`no such format: ${format}`);
  const wanted = values.promises.split(',').filter((name) => name !== '');
  const unknown = wanted.find((name) => !promisedWorks.some((each) => each === name));
  if (unknown !== undefined) throw new Error(`no such promise: ${unknown} (${promisedWorks.join(', ')})`);
  const promised = promisedWorks.filter((name) => wanted.includes(name));
  const calls = Number(values.calls);
  const seconds = Number(values.seconds);
  const directory = mkdtempSync(join(tmpdir(), 'callreel-bench-'));
  try {
    const programs = {
      load: await buildProgram('load', directory),
      recorder: await buildProgram('recorder', directory),
    };
    const audio = await StreamAudio.load();
    const options = { programs, audio, calls, seconds, driver, steering, profile };
    const rounds: Round[] = [];
    for (let round = 1; round <= Number(values.repetitions); round++) {
      tell(`round ${round}: reference`);
      const reference = await runReference(options);
      tell(`round ${round}: ${format} along`);
      const files = await record(options, works.phone(format));
      if (!values['without-spool-row']) tell(`round ${round}: spool alone`);
      const spool = values['without-spool-row'] ? undefined : await record(options, works.phone());
      rounds.push({ reference, files, spool });
    }
    const promises: PromisedRun[] = [];
    for (const name of promised) {
      tell(`${name}: reference`);
      const reference = await runReference(options);
      tell(name);
      promises.push({ name, reference, run: await record(options, works[name]()) });
    }
    return report(rounds, promises, { calls, seconds, format });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function record(
  options: Omit<RecorderRunOptions, 'work'>,
  opened: Promise<RecordedWork>,
): Promise<RecorderRun> {
  await using work = await opened;
  const run = await runRecorder({ ...options, work });
  // Hours may follow, and fail.
  const { usage: used, memoryPerCallMB: memory, findings, totals, endSecondsPerCallMinute } = run;
  const live = rounded((used.cpuSeconds * 60) / (options.calls * options.seconds));
  tell(JSON.stringify({ live, endSecondsPerCallMinute, memory, findings, notRelayed: totals.notRelayed }));
  return run;
}

function report(
  rounds: readonly Round[],
  promises: readonly PromisedRun[],
  work: { calls: number; seconds: number; format: FileFormat },
) {
  const perCallMinute = (cpuSeconds: number) => (cpuSeconds * 60) / (work.calls * work.seconds);
  const median = (value: (round: Round) => number) => percentile(rounds.map(value), 50);
  const [last] = rounds.slice(-1);
  const reference = median((round) => perCallMinute(round.reference.cpuSeconds));
  const files = summarize(
    rounds.map(({ reference: beside, files: run }) => ({ reference: beside, run })),
    perCallMinute,
  );
  const spool = summarize(
    rounds.flatMap(({ reference: beside, spool: run }) => (run ? { reference: beside, run } : [])),
    perCallMinute,
  );
  const promisedRows = promises.map((each) => ({
    name: each.name,
    ...summarize([each], perCallMinute, true),
  }));
  const references = [...rounds, ...promises].map((each) => each.reference);
  const all = [
    ...references,
    ...rounds.flatMap((each) => [each.files, ...(each.spool ? [each.spool] : [])]),
    ...promises.map((each) => each.run),
  ];
  const voidReason = all.find((each) => each.voidReason !== undefined)?.voidReason;
  const gapSamplesOfReference = references.reduce((sum, each) => sum + each.findings.gapSamples, 0);
  const lostPacketsOfReference = references.reduce((sum, each) => sum + lostOf(each), 0);
  const wrong = [files, spool, ...promisedRows].filter(
    (each) =>
      each.gapSamples + each.lostPackets + each.wrongPackets + each.reorderedPackets + each.unheardPackets >
      0,
  );
  const shortcomings = [
    ...(wrong.length > 0 ? ['what was recorded, or relayed, is not what was sent'] : []),
    ...([files, spool, ...promisedRows].some((each) => each.placedApartMs > mostApartMs)
      ? ['the channels of a recording lie otherwise than they were sent']
      : []),
    ...(all.some(({ totals }) => totals.notRelayedBefore > mostBefore)
      ? ['packets were relayed long after they were sent first']
      : []),
    ...(gapSamplesOfReference + lostPacketsOfReference > 0 ? ['the reference did not do its work'] : []),
  ];
  const referencePacketUs = median((round) => round.reference.microsecondsPerPacket);
  const referenceNote =
    referencePacketUs > aimedReferenceUs
      ? `The reference took ${fixed(referencePacketUs, 2)} us a packet, more than ${aimedReferenceUs}: ratios are of any machine, times are of this one.`
      : undefined;
  process.stdout.write(
    `${work.calls} two-party calls, G.711, relayed and recorded; ${work.seconds} s, medians of ${rounds.length}\n`,
  );
  const row = (name: string, each: typeof files) => [
    ...[name, fixed(each.cpuSecondsPerCallMinute, 4), fixed(each.endSecondsPerCallMinute, 4)],
    ...[fixed(each.ratio, 2), fixed(each.rssPerCallMB, 3)],
    each.rssPerFurtherCallMB === null ? '' : fixed(each.rssPerFurtherCallMB, 3),
    ...[each.gapSamples, each.lostPackets, fixed(each.tickLatenessP999Ms, 1)],
  ];
  process.stdout.write(
    `${formatTable(
      [
        ...['', 'CPU s per call-minute', 'at the end', 'ratio', 'MB per call', 'per further call'],
        ...['gap samples', 'lost packets', 'tick p99.9 ms'],
      ],
      [
        [
          ...['reference in C', fixed(reference, 4), '', fixed(1, 2), '', ''],
          ...[gapSamplesOfReference, lostPacketsOfReference, ''],
        ],
        row(`${last!.files.driver}, ${work.format} along`, files),
        ...(last!.spool ? [row(`${last!.files.driver}, spool alone`, spool)] : []),
        ...promisedRows.map((each) => row(titles[each.name], each)),
      ],
    )}\n`,
  );
  process.stdout.write(
    `${formatTable(
      ['thread', 'CPU s per call-minute'],
      last!.files.usage.threads
        .slice(0, 12)
        .map(({ thread, cpuSeconds }) => [thread, fixed(perCallMinute(cpuSeconds), 4)]),
    )}\n`,
  );
  if (referenceNote) process.stdout.write(`${referenceNote}\n`);
  const { server, workers } = last!.files.memoryPerCallMB;
  process.stdout.write(
    `${formatTable(
      ['process', 'MB per call'],
      [
        ['server', fixed(server, 3)],
        ['media worker', fixed(workers, 3)],
      ],
    )}\n`,
  );
  return {
    ...{ driver: last!.files.driver, driverNote: last!.files.driverNote ?? null },
    steering: last!.files.steering ?? null,
    calls: work.calls,
    cpuSecondsPerCallMinute: files.cpuSecondsPerCallMinute,
    endSecondsPerCallMinute: files.endSecondsPerCallMinute,
    referenceCpuSecondsPerCallMinute: rounded(reference),
    ratio: files.ratio,
    rssPerCallMB: files.rssPerCallMB,
    rssPerFurtherCallMB: files.rssPerFurtherCallMB,
    ...{ rssOfWorkersPerCallMB: files.rssOfWorkersPerCallMB, rssMB: files.rssMB },
    gapSamples: files.gapSamples,
    lostPackets: files.lostPackets,
    ...{ wrongPackets: files.wrongPackets, reorderedPackets: files.reorderedPackets },
    unheardPackets: files.unheardPackets,
    notRelayedBefore: files.notRelayedBefore,
    tickLatenessP999Ms: files.tickLatenessP999Ms,
    ...{ format: work.format, seconds: work.seconds, repetitions: rounds.length },
    referenceMicrosecondsPerPacket: rounded(referencePacketUs),
    referenceNote: referenceNote ?? null,
    databaseCpuSecondsPerCallMinute: files.databaseCpuSecondsPerCallMinute,
    loadLatenessP999Us: files.loadLatenessP999Us,
    ...{ leadingMs: files.leadingMs, placedApartMs: files.placedApartMs },
    ...{ referenceGapSamples: gapSamplesOfReference, referenceLostPackets: lostPacketsOfReference },
    ...{ voidReason: voidReason ?? null, shortcomings },
    ...(last!.spool && { spoolAlone: spool }),
    promises: promisedRows,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

/** Recorded, and sent to the other party: packets of all that were sent. */
function lostOf({ findings, totals }: Pick<ReferenceRun, 'findings' | 'totals'>): number {
  return findings.lostPackets + totals.notRelayed;
}

/** @param withEnd what is promised is done at the end */
function summarize(
  compared: readonly { reference: ReferenceRun; run: RecorderRun }[],
  perCallMinute: (cpuSeconds: number) => number,
  withEnd = false,
) {
  const runs = compared.map(({ run: each }) => each);
  const costOf = ({ usage, endSecondsPerCallMinute: end }: RecorderRun) =>
    perCallMinute(usage.cpuSeconds) + (withEnd ? end : 0);
  const median = (value: (run: RecorderRun) => number) => percentile(runs.map(value), 50);
  const most = (value: (run: RecorderRun) => number) => Math.max(...runs.map(value));
  const ratios = compared.map(
    ({ reference, run: each }) => costOf(each) / perCallMinute(reference.cpuSeconds),
  );
  const furtherMB = runs.flatMap(({ memoryPerFurtherCallMB: more }) =>
    more ? [more.server + more.workers] : [],
  );
  return {
    cpuSecondsPerCallMinute: rounded(median(costOf)),
    endSecondsPerCallMinute: rounded(median((each) => each.endSecondsPerCallMinute)),
    ratio: rounded(percentile(ratios, 50)),
    rssPerCallMB: rounded(median(({ memoryPerCallMB }) => memoryPerCallMB.server + memoryPerCallMB.workers)),
    rssPerFurtherCallMB: furtherMB.length > 0 ? rounded(percentile(furtherMB, 50)) : null,
    rssMB: rounded(median((each) => each.memoryMB)),
    rssOfWorkersPerCallMB: rounded(median(({ memoryPerCallMB }) => memoryPerCallMB.workers)),
    gapSamples: runs.reduce((sum, { findings }) => sum + findings.gapSamples, 0),
    lostPackets: runs.reduce((sum, each) => sum + lostOf(each), 0),
    unheardPackets: runs.reduce((sum, each) => sum + each.unheardPackets, 0),
    notRelayedBefore: most(({ totals }) => totals.notRelayedBefore),
    tickLatenessP999Ms: rounded(most((each) => each.tickLatenessP999Ms)),
    wrongPackets: runs.reduce((sum, { load }) => sum + load.wrong, 0),
    reorderedPackets: runs.reduce((sum, { load }) => sum + load.reordered, 0),
    databaseCpuSecondsPerCallMinute: rounded(median(({ usage }) => perCallMinute(usage.databaseCpuSeconds))),
    loadLatenessP999Us: most(({ load }) => load.latenessP999Us),
    leadingMs: most(({ findings }) => findings.leadingMs),
    placedApartMs: rounded(most(({ findings }) => findings.placedApartMs)),
  };
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
