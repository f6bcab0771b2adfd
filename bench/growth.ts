import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { BenchServer } from './capacity/bench-server.ts';
import { endedRecordings } from './capacity/recorded-calls.ts';
import { HeapWatch } from './growth/heap-watch.ts';
import { type Rise, riseOf, type Series, toleranceMB } from './growth/rise.ts';
import { checkRecordings, sampleOf } from './growth/sample-check.ts';
import { ShortCalls } from './growth/short-calls.ts';
import { formatTable } from './table.ts';

const usage = `  --calls 10000        one after another, recorded
  --warm-up 2000       calls before them: what these leave behind is told, and is not judged
  --at-once 30
  --step 1000          calls between two looks
  --packets 10         that each party says
  --settle 34          seconds before a look: what SIP remembers of a call it forgets after 32 (RFC 3261, 64*T1)
  --sample 100         recordings that are held to what was said
  --snapshots DIR      heap snapshots of every thread at every look`;

const firstNumber = 10_000;
const megabyte = 1024 * 1024;
/** The server gives freed memory back every 10 s: behind a collection it is to have done so. */
const returnMs = 11_000;

interface Look {
  calls: number;
  /** Proportional set sizes. */
  serverMB: number;
  workersMB: number;
  /** Heap without code, and array buffers, of each thread, after a collection. */
  keptMB: Map<string, number>;
}

/** Short recorded calls one after another: what the server keeps of them, which should be nothing. */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '10000' },
      'warm-up': { type: 'string', default: '2000' },
      'at-once': { type: 'string', default: '30' },
      step: { type: 'string', default: '1000' },
      packets: { type: 'string', default: '10' },
      settle: { type: 'string', default: '34' },
      sample: { type: 'string', default: '100' },
      snapshots: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- growth\n${usage}`);
  const [warmUp, step, packets] = [values['warm-up'], values.step, values.packets].map(Number) as [
    number,
    number,
    number,
  ];
  const until = warmUp + Number(values.calls);
  const { snapshots } = values;
  const numbers = Array.from({ length: Number(values['at-once']) }, (_, line) => String(firstNumber + line));
  await using watch = await HeapWatch.open();
  await using phones = await ShortCalls.open(packets);
  await using server = await BenchServer.start({
    routines: new Map(
      numbers.map((number, line) => [
        number,
        [{ name: 'CallPhone', phone_number: phones.calledUri(line), do_record: true }],
      ]),
    ),
    files: 'wav',
    settings: { NODE_OPTIONS: watch.nodeOptions },
  });
  await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
  const lines = numbers.map((number) => server.process.sipUri(number));
  const workers = String(server.process.workerPids);
  const looks = [await lookAt(server, watch, phones, snapshots)];
  while (phones.placed < until) {
    const some = phones.placed < warmUp ? warmUp : Math.min(step, until - phones.placed);
    await phones.place(lines, some);
    await sleep(systemClock, Number(values.settle) * 1000);
    looks.push(await lookAt(server, watch, phones, snapshots));
  }
  const shortcomings: string[] = [];
  if (phones.failed > 0) shortcomings.push(`${phones.failed} calls failed`);
  if (String(server.process.workerPids) !== workers) shortcomings.push('a media worker died');
  const recordings = await endedRecordings(server, phones.placed - phones.failed, true);
  const sample = sampleOf(recordings, Number(values.sample));
  const wrong = await checkRecordings(server, sample, packets);
  for (const each of wrong.slice(0, 20)) process.stderr.write(`${each}\n`);
  if (wrong.length > 0)
    shortcomings.push(`${wrong.length} channels of ${sample.length} recordings are not what was said`);
  return report(looks, warmUp, {
    ...{ calls: until - warmUp, warmUp, failed: phones.failed, received: phones.received },
    ...{ recordings: recordings.length, verified: sample.length, shortcomings },
  });
}

async function lookAt(
  server: BenchServer,
  watch: HeapWatch,
  { placed: calls, failed }: ShortCalls,
  snapshots: string | undefined,
): Promise<Look> {
  const heaps = await watch.ask({ snapshots });
  await sleep(systemClock, returnMs);
  const { server: serverMB, workers: workersMB } = server.memoryMB;
  const keptMB = new Map(
    [...heaps].map(([name, { heapBytes, externalBytes }]) => [name, (heapBytes + externalBytes) / megabyte]),
  );
  const kept = [...keptMB].map(([name, mb]) => `${name} ${mb.toFixed(2)}`).join(', ');
  process.stderr.write(
    `${calls} calls, ${failed} failed: RSS ${serverMB.toFixed(1)} + ${workersMB.toFixed(1)} MB; kept: ${kept}\n`,
  );
  return { calls, serverMB, workersMB, keptMB };
}

interface Outcome {
  calls: number;
  shortcomings: string[];
}

/** @param warmUp calls; looks from there on are judged */
function report(looks: readonly Look[], warmUp: number, outcome: Outcome) {
  const judged = looks.filter(({ calls }) => calls >= warmUp);
  const threads = [...new Set(looks.flatMap(({ keptMB }) => [...keptMB.keys()]))].sort();
  const seriesOf = (name: string, kind: Series['kind'], valueMB: (look: Look) => number): Series => ({
    ...{ name, kind },
    points: judged.map((look) => [look.calls, valueMB(look)]),
  });
  const kept = threads.map((name) =>
    riseOf(seriesOf(name, 'kept', ({ keptMB }) => keptMB.get(name) ?? Number.NaN)),
  );
  const server = riseOf(seriesOf('server', 'resident', ({ serverMB }) => serverMB));
  const workers = riseOf(seriesOf('media workers', 'resident', ({ workersMB }) => workersMB));
  const rises = [server, workers, ...kept];
  process.stdout.write(
    'MB after so many calls; kept: heap without code, and array buffers, after a collection\n',
  );
  process.stdout.write(
    `${formatTable(
      ['calls', 'RSS server', 'RSS media workers', ...threads.map((name) => `kept: ${name}`)],
      looks.map((look) => [
        look.calls < warmUp ? `${look.calls}, not judged` : look.calls,
        ...[look.serverMB, look.workersMB].map(tenths),
        ...threads.map((name) => hundredths(look.keptMB.get(name) ?? Number.NaN)),
      ]),
    )}\n`,
  );
  process.stdout.write(
    `from a warm-up of ${warmUp} calls to ${outcome.calls} calls behind it; the rise is that of the straight line through the looks\n${formatTable(
      ['', 'after the warm-up MB', 'at the end MB', 'rise MB', 'bytes by call', 'at most MB', ''],
      rises.map((rise) => [
        ...[titleOf(rise), hundredths(rise.firstMB), hundredths(rise.lastMB), hundredths(rise.riseMB)],
        ...[Math.round(rise.bytesPerCall), toleranceMB[rise.kind], rise.grows ? 'grows' : ''],
      ]),
    )}\n`,
  );
  const bytesPerCall = ({ bytesPerCall: bytes }: Rise) => Math.round(bytes);
  const growing = rises.filter(({ grows }) => grows);
  return {
    ...outcome,
    shortcomings: [
      ...outcome.shortcomings,
      ...growing.map((rise) => `${titleOf(rise)} grows by ${bytesPerCall(rise)} bytes a call`),
    ],
    grows: growing.length > 0,
    toleranceMB,
    rssBytesPerCall: { server: bytesPerCall(server), workers: bytesPerCall(workers) },
    keptBytesPerCall: Object.fromEntries(kept.map((rise) => [rise.name, bytesPerCall(rise)])),
    afterWarmUpMB: Object.fromEntries(rises.map((rise) => [titleOf(rise), hundredths(rise.firstMB)])),
    atEndMB: Object.fromEntries(rises.map((rise) => [titleOf(rise), hundredths(rise.lastMB)])),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

function titleOf({ kind, name }: Rise): string {
  return kind === 'kept' ? `kept: ${name}` : `RSS ${name}`;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
