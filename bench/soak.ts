import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { makeTemporaryDir } from '../src/database/temporary-database.ts';
import { BenchServer } from './capacity/bench-server.ts';
import { churn } from './capacity/churned-calls.ts';
import { firstNumber } from './capacity/connect-call.ts';
import type { HeapNote } from './capacity/forced-collection.ts';
import { LoadGenerator } from './capacity/load-generator.ts';
import { metricSum, shortagesOf } from './capacity/metric.ts';
import { buildProgram } from './capacity/native-program.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { latenessMs } from './capacity/tick-lateness.ts';
import { TwoPartySignalling } from './capacity/two-party-signalling.ts';
import { type Half, report, type Sample } from './soak/report.ts';
import { portsFor } from './soak/rtp-ports.ts';
import { faultsLogged } from './soak/shortcomings.ts';

const usage = `  --minutes 60         half of them with io_uring, half without, where --seccomp is given
  --calls 300          two-party calls at once, one caller of four by SRTP
  --call-seconds 15-75 how long a call is
  --collect-seconds 10 every thread collects its whole garbage so often
  --seccomp            io_uring is forbidden to the server of the second half, by seccomp
  --driver auto        or ffi, dgram`;

interface HalfOptions {
  name: string;
  seconds: number;
  calls: number;
  callSeconds: readonly [number, number];
  collectSeconds: number;
  driver: string | undefined;
  hasUring: boolean | undefined;
  prefix: readonly string[];
  firstCaller: number;
  dataDir: string;
  load: string;
  audio: StreamAudio;
}

const sampleMs = 60_000;
/** In which the last lines of a log are read, once the server has ended. */
const lastLinesMs = 200;
/** More than call in one half. */
const callersOfPart = 1_000_000;
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
  if (values.seccomp && values.driver === 'dgram') throw new Error('dgram has no io_uring to be forbidden');
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
          { name: 'as it is', seconds: seconds / 2, hasUring: true, prefix: [] },
          {
            ...{ name: 'without io_uring', seconds: seconds / 2, hasUring: false },
            prefix: [await buildProgram('without-uring', programs)],
          },
        ]
      : [{ name: 'as it is', seconds, hasUring: undefined, prefix: [] }];
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
  const { name, seconds, calls, collectSeconds, driver, hasUring, prefix, dataDir, audio } = options;
  const ports = portsFor(calls);
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
      CALLREEL_RTP_PORTS: `${ports.first}-${ports.last}`,
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
    const sampling = sampleUntil(untilUs, server, heaps, samples);
    const [result, samplesFailed] = await Promise.race([
      Promise.all([churning, sampling]),
      untilEnded(server),
    ]);
    const loadReport = await load.report();
    const metrics = await server.metrics();
    const tickLatenessP999Ms = latenessMs(ticks, await server.ticks(), 0.999);
    const faults = [...result.failures, ...result.check.faults, ...samplesFailed];
    if (String(server.process.workerPids) !== String(workerPids))
      faults.push(`a media worker of ${pid} died`);
    const notes = heapNotes(heaps);
    const { code: exitCode } = await server.stop();
    await sleep(systemClock, lastLinesMs);
    faults.push(...faultsLogged(server.process.log));
    return {
      ...{ name, hasUring, driver: server.driver, driverNote: server.driverNote, exitCode, ports },
      ...{ churn: result, load: loadReport, samples, faults, tickLatenessP999Ms },
      ...{ strayInvites: signalling.strayInvites, shortages: shortagesOf(metrics) },
      collections: notes.reduce((sum, { collections }) => sum + collections, 0),
      longestCollectionMs: Math.max(0, ...notes.map(({ longestMs }) => longestMs)),
      overflows: metricSum(metrics, 'callreel_spool_overflows_total'),
      sendsFailed: metricSum(metrics, 'callreel_media_sends_failed_total'),
    };
  } finally {
    rmSync(heaps, { recursive: true, force: true });
  }
}

/** Rejects once the server has ended: no call comes any more. */
async function untilEnded(server: BenchServer): Promise<never> {
  const { code, signal } = await server.process.exited;
  const last = JSON.stringify(server.process.log.slice(-5));
  throw new Error(`the server ended by ${signal ?? code}; its log at last: ${last}`);
}

/** @returns what kept it from taking one: no reason to give up the calls */
async function sampleUntil(
  untilUs: number,
  server: BenchServer,
  heaps: string,
  samples: Sample[],
): Promise<string[]> {
  const failures: string[] = [];
  for (let minute = 1; systemClock.monotonicUs() + sampleMs * 1000 <= untilUs + 1e6; minute++) {
    await sleep(systemClock, sampleMs);
    try {
      const keptMB = heapNotes(heaps).reduce((sum, { keptBytes }) => sum + keptBytes, 0) / 1e6;
      const callsBefore = metricSum(await server.metrics(), 'callreel_calls');
      const memory = server.memoryMB;
      samples.push({ minute, memory, keptMB, callsBefore });
      tell(`  ${minute} min: server ${memory.server.toFixed(0)} MB, workers ${memory.workers.toFixed(0)} MB`);
    } catch (error) {
      failures.push(`minute ${minute} was not sampled: ${error instanceof Error ? error.message : error}`);
    }
  }
  return failures;
}

function heapNotes(directory: string): HeapNote[] {
  return readdirSync(directory).flatMap((name) => {
    const text = readFileSync(join(directory, name), 'utf8');
    // It may be written at this moment.
    return text.endsWith('}') ? [JSON.parse(text) as HeapNote] : [];
  });
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
