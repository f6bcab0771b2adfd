import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { BenchServer, productAdmission } from './capacity/bench-server.ts';
import { connectLegs, firstNumber, type Stage } from './capacity/connect-call.ts';
import { LoadGenerator, voidReason } from './capacity/load-generator.ts';
import { metricSum, shortagesOf } from './capacity/metric.ts';
import { buildProgram } from './capacity/native-program.ts';
import { verifyCalls } from './capacity/recorded-calls.ts';
import { runReference } from './capacity/reference-run.ts';
import { retryAfterOf } from './capacity/refused-invite.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { latenessMs } from './capacity/tick-lateness.ts';
import { CallRefused, host, TwoPartySignalling } from './capacity/two-party-signalling.ts';
import { type Saturation, shortcomingsOf } from './saturate/shortcomings.ts';
import { formatTable } from './table.ts';

const usage = `  --most 1500          calls, at most
  --step 20            so many more, then a look
  --look-seconds 3
  --hold-seconds 20    at the limit, a call more being tried each second
  --driver auto        or ffi, dgram`;

const lastPacketsMs = 500;
/** In which what the last calls relay is judged. */
const lastCallsMs = 4000;
const hangUpsPerSecond = 50;
const optionsTimeoutMs = 5000;

interface Step {
  calls: number;
  tickLatenessP999Ms: number;
  cpuSecondsPerSecond: number;
}

/**
 * More and more recorded two-party calls, until the server refuses one more; then as many as it takes, for a while.
 * Shows that it refuses before a recording has a gap or a packet is lost.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      most: { type: 'string', default: '1500' },
      step: { type: 'string', default: '20' },
      'look-seconds': { type: 'string', default: '3' },
      'hold-seconds': { type: 'string', default: '20' },
      driver: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- saturate\n${usage}`);
  const directory = mkdtempSync(join(tmpdir(), 'callreel-bench-'));
  try {
    const programs = {
      load: await buildProgram('load', directory),
      recorder: await buildProgram('recorder', directory),
    };
    const audio = await StreamAudio.load();
    const holdSeconds = Number(values['hold-seconds']);
    const found = await saturate(programs.load, audio, {
      ...{ most: Number(values.most), step: Number(values.step), holdSeconds },
      ...{ lookMs: Number(values['look-seconds']) * 1000, driver: values.driver },
    });
    const { callsHeld: calls, cpuSecondsPerCallMinute } = found.figures;
    process.stderr.write(`reference, ${calls} calls\n`);
    const reference = await runReference({ programs, audio, calls, seconds: holdSeconds });
    const referenceCost = (reference.cpuSeconds * 60) / (calls * holdSeconds);
    const result = {
      ...found.figures,
      referenceCpuSecondsPerCallMinute: rounded(referenceCost),
      ratio: rounded(cpuSecondsPerCallMinute / referenceCost),
      referenceMicrosecondsPerPacket: rounded(reference.microsecondsPerPacket),
      shortcomings: found.shortcomings,
      voidReason: found.voidReason ?? reference.voidReason ?? null,
      steps: found.steps,
      machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
    };
    tell(result);
    return result;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Limits {
  most: number;
  step: number;
  lookMs: number;
  holdSeconds: number;
  driver: string | undefined;
}

async function saturate(program: string, audio: StreamAudio, limits: Limits) {
  const { most, driver } = limits;
  await using signalling = await TwoPartySignalling.open();
  await using server = await BenchServer.start({
    routines: new Map(
      Array.from({ length: most }, (_, call) => [
        String(firstNumber + call),
        [{ name: 'CallPhone', phone_number: signalling.calledUri(call), do_record: true }],
      ]),
    ),
    files: 'wav',
    settings: { ...productAdmission, ...(driver !== undefined && { CALLREEL_RTP_DRIVER: driver }) },
  });
  await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
  await using load = await LoadGenerator.start(program, server.dataDir, audio, most * 2);
  const stage = { signalling, server, load };
  const idle = await server.restedMemoryMB();
  load.beginWindow();
  const before = await server.ticks();
  const raised = await raise(stage, limits);
  const optionsRetryAfterSeconds = raised.refused.length === 0 ? undefined : await retryAfter(server);
  const untilRefusal = await server.ticks();
  const held = await hold(stage, raised.calls, limits);
  const memory = server.memoryMB;
  const after = await server.ticks();
  await sleep(systemClock, lastCallsMs);
  const metrics = await server.metrics();
  const report = await load.report();
  load.quiet();
  await sleep(systemClock, lastPacketsMs);
  const totals = await load.stop();
  await signalling.hangUp(hangUpsPerSecond);
  const findings = await verifyCalls({ server, calls: held.calls, audio, totals, files: 'wav' });
  const refused = [...raised.refused, ...held.refused];
  const saturation: Saturation = {
    ...{ callsHeld: held.calls, recordings: findings.recordings, refused: refused.length },
    ...{ retryAfterSeconds: refused, optionsRetryAfterSeconds, shortages: shortagesOf(metrics) },
    failures: raised.failures.length + held.failures.length,
    gapSamples: findings.gapSamples,
    lostPackets: findings.lostPackets + totals.notRelayed,
    ...{ wrongPackets: report.wrong, reorderedPackets: report.reordered },
    ...{ notRelayedBefore: totals.notRelayedBefore, placedApartMs: rounded(findings.placedApartMs) },
    overflows: metricSum(metrics, 'callreel_spool_overflows_total'),
    sendsFailed: metricSum(metrics, 'callreel_media_sends_failed_total'),
  };
  for (const failure of [...raised.failures, ...held.failures].slice(0, 10))
    process.stderr.write(`${failure}\n`);
  return {
    figures: {
      ...{ driver: server.driver, driverNote: server.driverNote ?? null, calls: raised.calls, ...saturation },
      retryAfterSeconds: [...new Set(refused)],
      optionsRetryAfterSeconds: optionsRetryAfterSeconds ?? null,
      cpuSecondsPerCallMinute: rounded(held.cpuSecondsPerCallMinute),
      rssPerCallMB: rounded((memory.server + memory.workers - idle.server - idle.workers) / held.calls),
      tickLatenessP999Ms: latenessMs(before, untilRefusal, 0.999),
      tickLatenessHeldP999Ms: latenessMs(untilRefusal, after, 0.999),
      loadLatenessP999Us: report.latenessP999Us,
    },
    shortcomings: shortcomingsOf(saturation),
    voidReason: voidReason(report),
    steps: raised.steps,
  };
}

interface Raised {
  calls: number;
  /** What Retry-After said to each refused INVITE. */
  refused: (number | undefined)[];
  failures: string[];
}

/** Until one is refused. */
async function raise(stage: Stage, { most, step, lookMs }: Limits): Promise<Raised & { steps: Step[] }> {
  const raised: Raised = { calls: 0, refused: [], failures: [] };
  const steps: Step[] = [];
  while (raised.calls < most && raised.refused.length === 0 && raised.failures.length === 0) {
    const until = Math.min(most, raised.calls + step);
    while (raised.calls < until && (await placeOne(stage, raised)));
    const ticks = await stage.server.ticks();
    const mark = stage.server.mark();
    const beganUs = systemClock.monotonicUs();
    await sleep(systemClock, lookMs);
    const seconds = (systemClock.monotonicUs() - beganUs) / 1e6;
    steps.push({
      calls: raised.calls,
      tickLatenessP999Ms: latenessMs(ticks, await stage.server.ticks(), 0.999),
      cpuSecondsPerSecond: Number((stage.server.usageSince(mark).cpuSeconds / seconds).toFixed(2)),
    });
    process.stderr.write(`${JSON.stringify(steps.at(-1))}\n`);
  }
  return { ...raised, steps };
}

/** One more call is tried each second, and talks where it is taken. */
async function hold(
  stage: Stage,
  calls: number,
  { most, holdSeconds }: Limits,
): Promise<Raised & { cpuSecondsPerCallMinute: number }> {
  const held: Raised = { calls, refused: [], failures: [] };
  const mark = stage.server.mark();
  const beganUs = systemClock.monotonicUs();
  let callUs = 0;
  for (let nowUs = beganUs; nowUs < beganUs + holdSeconds * 1e6; ) {
    await sleep(systemClock, 1000);
    const beforeUs = nowUs;
    nowUs = systemClock.monotonicUs();
    callUs += held.calls * (nowUs - beforeUs);
    if (held.calls < most) await placeOne(stage, held);
  }
  return { ...held, cpuSecondsPerCallMinute: stage.server.usageSince(mark).cpuSeconds / (callUs / 60e6) };
}

/** @returns whether it was taken */
async function placeOne(stage: Stage, raised: Raised): Promise<boolean> {
  try {
    await connectLegs(stage, raised.calls);
    raised.calls++;
    return true;
  } catch (error) {
    if (!(error instanceof CallRefused)) throw error;
    if (error.status === 503) raised.refused.push(error.retryAfterSeconds);
    else raised.failures.push(error.message);
    return false;
  }
}

/** What the server says to a balancer that asks: undefined where it takes calls again, NaN where it says nothing of when it will. */
async function retryAfter(server: BenchServer): Promise<number | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, host);
    await once(socket, 'listening');
    const { address, port } = server.process.sipAddress();
    const tag = `${process.pid}-${systemClock.monotonicUs()}`;
    const request = [
      `OPTIONS sip:${address}:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${socket.address().port};branch=z9hG4bK${tag};rport`,
      'Max-Forwards: 70',
      `From: <sip:balancer@${host}>;tag=${tag}`,
      `To: <sip:${address}:${port}>`,
      `Call-ID: ${tag}`,
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
    ];
    socket.send(`${request.join('\r\n')}\r\n\r\n`, port, address);
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(optionsTimeoutMs) })) as [
      Buffer,
    ];
    const text = answer.toString('latin1');
    if (!text.startsWith('SIP/2.0 503 ')) return undefined;
    return retryAfterOf(text) ?? Number.NaN;
  } finally {
    socket.close();
  }
}

function tell(result: {
  calls: number;
  callsHeld: number;
  refused: number;
  shortages: readonly string[];
  retryAfterSeconds: readonly (number | undefined)[];
  cpuSecondsPerCallMinute: number;
  ratio: number;
  rssPerCallMB: number;
  gapSamples: number;
  lostPackets: number;
  tickLatenessP999Ms: number;
  tickLatenessHeldP999Ms: number;
}): void {
  process.stdout.write('Recorded two-party calls, a WAV file along with each, until one more is refused\n');
  process.stdout.write(
    `${formatTable(
      [
        ...['calls', 'held', 'refused', 'for', 'Retry-After s', 'CPU s per call-minute', 'ratio'],
        ...['MB per call', 'gap samples', 'lost packets', 'tick p99.9 ms', 'at the limit'],
      ],
      [
        [
          ...[result.calls, result.callsHeld, result.refused, result.shortages.join(', ')],
          ...[result.retryAfterSeconds.join(', '), result.cpuSecondsPerCallMinute, result.ratio],
          ...[result.rssPerCallMB, result.gapSamples, result.lostPackets],
          ...[result.tickLatenessP999Ms, result.tickLatenessHeldP999Ms],
        ],
      ],
    )}\n`,
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
