import { sleep, systemClock } from '../../src/clock.ts';
import { BenchServer, type MemoryMB, type ServerUsage } from './bench-server.ts';
import { connectCalls, firstNumber } from './connect-call.ts';
import { LoadGenerator, type LoadReport, type LoadTotals, voidReason } from './load-generator.ts';
import type { RecordedWork, WorkFindings } from './recorded-work.ts';
import type { RunOptions } from './reference-run.ts';
import { latenessMs } from './tick-lateness.ts';
import { TwoPartySignalling } from './two-party-signalling.ts';
import { warmUp, warmUpCalls } from './warm-up.ts';

export interface RecorderRunOptions extends RunOptions {
  /** `rtp.driver`; the server's own choice where it is not given. */
  driver?: string | undefined;
  /** `rtp.steering`, likewise. */
  steering?: string | undefined;
  work: RecordedWork;
  /** Directory of CPU profiles. */
  profile?: string | undefined;
}

export interface RecorderRun {
  driver: string;
  driverNote: string | undefined;
  /** `on`, or why packets are not steered; undefined with a driver that steers none. */
  steering: string | undefined;
  usage: ServerUsage;
  /** More than before the first call. */
  memoryPerCallMB: MemoryMB;
  /** More than behind the first calls, which were gone; undefined where there were none before. */
  memoryPerFurtherCallMB: MemoryMB | undefined;
  /** Of all, at the end of the window. */
  memoryMB: number;
  load: LoadReport;
  totals: LoadTotals;
  findings: WorkFindings;
  /** Packets that a party should have been sent in the window, and was not. */
  unheardPackets: number;
  /** What the end of all that was recorded cost, from the first hang-up until every file was there, for each minute of a call. */
  endSecondsPerCallMinute: number;
  /** Why the figures tell nothing; undefined where they do. */
  voidReason: string | undefined;
  tickLatenessP999Ms: number;
}

const hangUpsPerSecond = 50;
/** Until all that is paced slowly goes on as it will: quality figures, growing files. */
const settleMs = 8000;
const lastPacketsMs = 500;
const packetsPerSecond = 50;

/**
 * So many calls on a running server, measured in the middle of them.
 * @throws Error where a recording is not what was sent
 */
export async function runRecorder(options: RecorderRunOptions): Promise<RecorderRun> {
  const { programs, audio, calls, seconds, work, driver, steering, profile } = options;
  await using signalling = await TwoPartySignalling.open();
  await using server = await BenchServer.start({
    routines: new Map(
      Array.from({ length: calls }, (_, call) => [
        String(firstNumber + call),
        work.routine(call, signalling.calledUri(call)),
      ]),
    ),
    files: work.files,
    settings: {
      ...work.settings,
      ...(driver !== undefined && { CALLREEL_RTP_DRIVER: driver }),
      ...(steering !== undefined && { CALLREEL_RTP_STEERING: steering }),
      ...(profile !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
    },
  });
  await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
  const idle = await server.restedMemoryMB();
  if (work.warmsUp) {
    const before = Math.min(calls, warmUpCalls);
    await using load = await LoadGenerator.start(programs.load, server.dataDir, audio, before * 2);
    await warmUp({ signalling, server, load }, work, before);
  }
  const warm = work.warmsUp ? await server.restedMemoryMB() : undefined;
  await using load = await LoadGenerator.start(programs.load, server.dataDir, audio, calls * 2);
  const stage = { signalling, server, load };
  await connectCalls(calls, (call) => work.connect(stage, call));
  await work.begun(server);
  await sleep(systemClock, settleMs);

  const ticks = await server.ticks();
  load.beginWindow();
  const mark = server.mark();
  await sleep(systemClock, seconds * 1000);
  const usage = server.usageSince(mark);
  const report = await load.report();
  const tickLatenessP999Ms = latenessMs(ticks, await server.ticks(), 0.999);
  const memory = server.memoryMB;
  const since = (base: MemoryMB): MemoryMB => ({
    server: (memory.server - base.server) / calls,
    workers: (memory.workers - base.workers) / calls,
  });

  load.quiet();
  await sleep(systemClock, lastPacketsMs);
  const totals = await load.stop();
  const ending = server.mark();
  await signalling.hangUp(hangUpsPerSecond);
  const findings = await work.verify({ server, calls, audio, totals, ending });
  return {
    ...{ driver: server.driver, driverNote: server.driverNote, steering: server.steering },
    memoryMB: memory.server + memory.workers,
    ...{ memoryPerCallMB: since(idle), memoryPerFurtherCallMB: warm && since(warm) },
    ...{ usage, load: report, totals, findings, tickLatenessP999Ms },
    // One of each may lie on either side of the border of the window.
    unheardPackets: Math.max(0, Math.round(calls * 2 * (packetsPerSecond * seconds - 1)) - report.received),
    endSecondsPerCallMinute: findings.ended.cpuSeconds / findings.recordedMinutes,
    voidReason: voidReason(report),
  };
}
