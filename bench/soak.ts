import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { makeTemporaryDir } from '../src/database/temporary-database.ts';
import { BenchServer, type MemoryMB } from './capacity/bench-server.ts';
import { type ChurnResult, churn } from './capacity/churned-calls.ts';
import { firstNumber } from './capacity/connect-call.ts';
import type { HeapNote } from './capacity/forced-collection.ts';
import { LoadGenerator, type LoadReport, voidReason } from './capacity/load-generator.ts';
import { metricSum } from './capacity/metric.ts';
import { buildProgram } from './capacity/native-program.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { latenessMs } from './capacity/tick-lateness.ts';
import { TwoPartySignalling } from './capacity/two-party-signalling.ts';
import { formatTable } from './table.ts';

const usage = `  --minutes 60         half of them with io_uring, half without, where --seccomp is given
  --calls 300          two-party calls at once, one caller of four by SRTP
  --call-seconds 15-75 how long a call is
  --collect-seconds 10 every thread collects its whole garbage so often
  --seccomp            io_uring is forbidden to the server of the second half, by seccomp
  --driver dgram       or ffi`;

interface Sample {
  minute: number;
  memory: MemoryMB;
  /** After forced collections, heap and array buffers of all threads. */
  keptMB: number;
  callsBefore: number;
}

interface Half {
  name: string;
  driver: string;
  driverNote: string | undefined;
  churn: ChurnResult;
  load: LoadReport;
  samples: Sample[];
  collections: number;
  longestCollectionMs: number;
  tickLatenessP999Ms: number;
  overflows: number;
  sendsFailed: number;
  faults: string[];
}

interface HalfOptions {
  name: string;
  seconds: number;
  calls: number;
  callSeconds: readonly [number, number];
  collectSeconds: number;
  driver: string | undefined;
  prefix: readonly string[];
  firstCaller: number;
  dataDir: string;
  load: string;
  audio: StreamAudio;
}

const sampleMs = 60_000;
/** More than call in one half. */
const callersOfPart = 1_000_000;
const errorLevel = 50;
const collector = new URL('./capacity/forced-collection.ts', import.meta.url);

/**
 * Calls that come and go for an hour, recorded, with everything that a quiet run does not have: ports that are opened
 * and closed, whole collections of garbage in every thread, SRTP, and a restart to a kernel without io_uring.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      calls: { type: 'string', default: '300' },
      'call-seconds': { type: 'string', default: '15-75' },
      'collect-seconds': { type: 'string', default: '10' },
      seccomp: { type: 'boolean', default: false },
      driver: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- soak\n${usage}`);
  const [least = 15, most = least] = values['call-seconds'].split('-').map(Number);
  const programs = mkdtempSync(join(tmpdir(), 'callreel-bench-'));
  const dataDir = makeTemporaryDir();
  try {
    const shared = {
      ...{ calls: Number(values.calls), callSeconds: [least, most] as const, driver: values.driver, dataDir },
      collectSeconds: Number(values['collect-seconds']),
      load: await buildProgram('load', programs),
      audio: await StreamAudio.load(),
    };
    const seconds = Number(values.minutes) * 60;
    const parts = values.seccomp
      ? [
          { name: 'as it is', seconds: seconds / 2, prefix: [] },
          {
            ...{ name: 'without io_uring', seconds: seconds / 2 },
            prefix: [await buildProgram('without-uring', programs)],
          },
        ]
      : [{ name: 'as it is', seconds, prefix: [] }];
    const halves: Half[] = [];
    for (const [index, part] of parts.entries())
      halves.push(await soak({ ...shared, ...part, firstCaller: index * callersOfPart }));
    return report(halves, { minutes: Number(values.minutes), calls: shared.calls });
  } finally {
    rmSync(programs, { recursive: true, force: true });
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function soak(options: HalfOptions): Promise<Half> {
  const { name, seconds, calls, collectSeconds, driver, prefix, dataDir, audio } = options;
  tell(`${name}: ${calls} calls for ${seconds} s`);
  const heaps = mkdtempSync(join(tmpdir(), 'callreel-heaps-'));
  const preload = new URL(collector);
  preload.search = new URLSearchParams({ directory: heaps, seconds: String(collectSeconds) }).toString();
  await using signalling = await TwoPartySignalling.open();
  await using server = await BenchServer.start({
    routines: new Map(
      Array.from({ length: calls }, (_, call) => [
        String(firstNumber + call),
        [{ name: 'CallPhone', phone_number: signalling.calledUri(call), do_record: true }],
      ]),
    ),
    files: 'wav',
    dataDir,
    prefix,
    settings: {
      NODE_OPTIONS: `--import=${preload}`,
      ...(driver !== undefined && { CALLREEL_RTP_DRIVER: driver }),
    },
  });
  try {
    await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
    const { pid, workerPids } = server.process;
    await using load = await LoadGenerator.start(options.load, dataDir, audio, calls * 2);
    load.beginWindow();
    const untilUs = systemClock.monotonicUs() + seconds * 1e6;
    const ticks = await server.ticks();
    const samples: Sample[] = [];
    const churning = churn({ signalling, server, load }, untilUs, options);
    const [result] = await Promise.all([churning, sampleUntil(untilUs, server, heaps, samples)]);
    const loadReport = await load.report();
    const metrics = await server.metrics();
    const notes = heapNotes(heaps);
    const logged = server.process.log.filter(({ level }) => Number(level) >= errorLevel);
    const faults = [
      ...result.failures,
      ...result.check.faults,
      ...logged.map((entry) => JSON.stringify(entry).slice(0, 500)),
    ];
    if (String(server.process.workerPids) !== String(workerPids))
      faults.push(`a media worker of ${pid} died`);
    const reason = voidReason(loadReport);
    if (reason !== undefined) tell(`the load was late: ${reason}`);
    return {
      ...{ name, driver: server.driver, driverNote: server.driverNote, churn: result, load: loadReport },
      ...{ samples, faults },
      collections: notes.reduce((sum, { collections }) => sum + collections, 0),
      longestCollectionMs: Math.max(0, ...notes.map(({ longestMs }) => longestMs)),
      tickLatenessP999Ms: latenessMs(ticks, await server.ticks(), 0.999),
      overflows: metricSum(metrics, 'callreel_spool_overflows_total'),
      sendsFailed: metricSum(metrics, 'callreel_media_sends_failed_total'),
    };
  } finally {
    rmSync(heaps, { recursive: true, force: true });
  }
}

async function sampleUntil(
  untilUs: number,
  server: BenchServer,
  heaps: string,
  samples: Sample[],
): Promise<void> {
  for (let minute = 1; systemClock.monotonicUs() + sampleMs * 1000 <= untilUs + 1e6; minute++) {
    await sleep(systemClock, sampleMs);
    const keptMB = heapNotes(heaps).reduce((sum, { keptBytes }) => sum + keptBytes, 0) / 1e6;
    const callsBefore = metricSum(await server.metrics(), 'callreel_calls');
    samples.push({ minute, memory: server.memoryMB, keptMB, callsBefore });
    const { memory } = samples.at(-1)!;
    tell(`  ${minute} min: server ${memory.server.toFixed(0)} MB, workers ${memory.workers.toFixed(0)} MB`);
  }
}

function heapNotes(directory: string): HeapNote[] {
  return readdirSync(directory).flatMap((name) => {
    const text = readFileSync(join(directory, name), 'utf8');
    // It may be written at this moment.
    return text.endsWith('}') ? [JSON.parse(text) as HeapNote] : [];
  });
}

function report(halves: readonly Half[], work: { minutes: number; calls: number }) {
  const parts = halves.map((half) => {
    const { churn: result, load, samples } = half;
    const { findings } = result.check;
    const [first, last] = [samples[0], samples.at(-1)];
    return {
      ...{ name: half.name, driver: half.driver, driverNote: half.driverNote },
      ...{ calls: result.setUp, refused: result.refused, recordings: findings.recordings },
      ...{ gapSamples: findings.gapSamples, lostPackets: findings.lostPackets },
      missingPackets: load.missing,
      ...{ leadingMs: findings.leadingMs, faults: half.faults.length },
      ...{ overflows: half.overflows, sendsFailed: half.sendsFailed },
      ...{ tickLatenessP999Ms: half.tickLatenessP999Ms, collections: half.collections },
      longestCollectionMs: Math.round(half.longestCollectionMs),
      voidReason: voidReason(load) ?? null,
      rssMB: [first, last].map((each) => each && Math.round(each.memory.server + each.memory.workers)),
      keptMB: [first, last].map((each) => each && Math.round(each.keptMB)),
    };
  });
  for (const { name, faults } of halves)
    for (const [fault, ...others] of byKind(faults).slice(0, 20))
      tell(`${name}: ${fault}${others.length > 0 ? ` (and ${others.length} like it)` : ''}`);
  process.stdout.write(`${work.calls} calls that come and go for ${work.minutes} min, recorded\n`);
  process.stdout.write(
    `${formatTable(
      [
        ...['', 'driver', 'calls', 'verified', 'gap samples', 'lost packets', 'not relayed', 'faults'],
        ...['tick p99.9 ms', 'longest collection ms'],
      ],
      parts.map((part) => [
        ...[part.name, part.driver, part.calls, part.recordings, part.gapSamples, part.lostPackets],
        ...[part.missingPackets, part.faults, part.tickLatenessP999Ms, part.longestCollectionMs],
      ]),
    )}\n`,
  );
  process.stdout.write(
    `${formatTable(
      ['', 'minute', 'server MB', 'workers MB', 'kept MB', 'calls'],
      halves.flatMap(({ name, samples }) =>
        samples.map(({ minute, memory, keptMB, callsBefore }) => [
          ...[name, minute, Math.round(memory.server), Math.round(memory.workers)],
          ...[Math.round(keptMB), callsBefore],
        ]),
      ),
    )}\n`,
  );
  const sum = (value: (part: (typeof parts)[number]) => number) =>
    parts.reduce((all, part) => all + value(part), 0);
  const unverified = sum((part) => part.calls - part.recordings);
  if (sum((part) => part.faults) + unverified > 0) process.exitCode = 1;
  return {
    ...work,
    calls: work.calls,
    successiveCalls: sum((part) => part.calls),
    recordings: sum((part) => part.recordings),
    gapSamples: sum((part) => part.gapSamples),
    lostPackets: sum((part) => part.lostPackets),
    faults: sum((part) => part.faults),
    parts,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

/** Those that differ in numbers and names alone together, the most first. */
function byKind(faults: readonly string[]): string[][] {
  const kinds = Map.groupBy(faults, (fault) => fault.replaceAll(/[0-9a-f]{16}|\d+/g, '#'));
  return [...kinds.values()].toSorted((a, b) => b.length - a.length);
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
