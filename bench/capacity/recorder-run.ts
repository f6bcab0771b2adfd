import { sleep, systemClock } from '../../src/clock.ts';
import { BenchServer, type FileFormat, type MemoryMB, type ServerUsage } from './bench-server.ts';
import { LoadGenerator, type LoadReport, voidReason } from './load-generator.ts';
import {
  download,
  endedRecordings,
  type Findings,
  noFindings,
  readRecording,
  verifyFile,
  type WholeRecordingBody,
} from './recorded-calls.ts';
import type { RunOptions } from './reference-run.ts';
import { latenessMs } from './tick-lateness.ts';
import { callerOf, TwoPartySignalling } from './two-party-signalling.ts';

export interface RecorderRunOptions extends RunOptions {
  /** `rtp.driver`; the server's own choice where it is not given. */
  driver?: string | undefined;
  /** Of the file that is written along; without it there is the spool alone. */
  files?: FileFormat;
  /** Directory of CPU profiles. */
  profile?: string | undefined;
}

export interface RecorderRun {
  driver: string;
  usage: ServerUsage;
  /** More than before the calls. */
  memoryPerCallMB: MemoryMB;
  load: LoadReport;
  findings: Findings;
  tickLatenessP999Ms: number;
}

const callsAtOnce = 8;
const hangUpsPerSecond = 50;
/** Until all that is paced slowly goes on as it will: quality figures, growing files. */
const settleMs = 8000;
const lastPacketsMs = 500;
const firstNumber = 10_000;

/**
 * So many calls on a running server, measured in the middle of them.
 * @throws Error where the load was not what was planned, or a recording is not what was sent
 */
export async function runRecorder(options: RecorderRunOptions): Promise<RecorderRun> {
  const { programs, audio, calls, seconds, files, driver, profile } = options;
  await using signalling = await TwoPartySignalling.open();
  await using server = await BenchServer.start({
    routines: new Map(
      Array.from({ length: calls }, (_, call) => [
        String(firstNumber + call),
        [{ name: 'CallPhone', phone_number: signalling.calledUri(call), do_record: true }],
      ]),
    ),
    files,
    settings: {
      ...(driver !== undefined && { CALLREEL_RTP_DRIVER: driver }),
      ...(profile !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
    },
  });
  await server.api('POST', '/v1/dial-permissions', { prefix: 'sip:', allow: true });
  await using load = await LoadGenerator.start(programs.load, server.dataDir, audio, calls * 2);
  const idle = server.memoryMB;
  await setUp(signalling, server, load, calls);
  await sleep(systemClock, settleMs);

  const ticks = await server.ticks();
  load.beginWindow();
  const mark = server.mark();
  await sleep(systemClock, seconds * 1000);
  const usage = server.usageSince(mark);
  const report = await load.report();
  const tickLatenessP999Ms = latenessMs(ticks, await server.ticks(), 0.999);
  const memory = server.memoryMB;
  const memoryPerCallMB = {
    server: (memory.server - idle.server) / calls,
    workers: (memory.workers - idle.workers) / calls,
  };

  const totals = await load.stop();
  await sleep(systemClock, lastPacketsMs);
  await signalling.hangUp(hangUpsPerSecond);
  const reason = voidReason(report);
  if (reason !== undefined) throw new Error(`the run is void: ${reason}`);
  const findings = noFindings();
  for (const { recording_id: id, file } of await endedRecordings(server, calls, files !== undefined)) {
    const { channels } = await server.api<WholeRecordingBody>('GET', `/v1/recordings/${id}`);
    const call = channels.findIndex(({ direction }) => direction === 'incoming');
    const index = indexOfCaller(channels[call]?.from ?? '', calls);
    const streams = call === 0 ? [index * 2, index * 2 + 1] : [index * 2 + 1, index * 2];
    const wav = files === 'wav' ? await readRecording(file!.path!) : await download(server, id, 'stereo');
    verifyFile(findings, wav, streams, audio, totals);
  }
  return {
    driver: server.driver,
    ...{ usage, memoryPerCallMB, load: report, findings, tickLatenessP999Ms },
  };
}

/** So many at once, until all of them talk. */
async function setUp(
  signalling: TwoPartySignalling,
  server: BenchServer,
  load: LoadGenerator,
  calls: number,
): Promise<void> {
  let next = 0;
  const place = async () => {
    for (let call = next++; call < calls; call = next++) {
      const uri = server.process.sipUri(String(firstNumber + call));
      const [caller, called] = [call * 2, call * 2 + 1];
      const ports = { caller: load.ports[caller]!, called: load.ports[called]! };
      const legs = await signalling.call(call, uri, ports);
      load.expectRelayed(caller, called);
      load.sendTo(caller, legs.caller);
      load.sendTo(called, legs.called);
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, place));
}

function indexOfCaller(from: string, calls: number): number {
  for (let call = 0; call < calls; call++) if (callerOf(call) === from) return call;
  throw new Error(`nobody called as ${from}`);
}
