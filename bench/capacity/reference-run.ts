import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '../../src/clock.ts';
import { LoadGenerator, type LoadReport, type LoadTotals, voidReason } from './load-generator.ts';
import { NativeProgram } from './native-program.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { type Findings, noFindings, verifyFile } from './recorded-calls.ts';
import type { StreamAudio } from './stream-audio.ts';

export interface ReferenceRun {
  cpuSeconds: number;
  /** Received and relayed, each. */
  microsecondsPerPacket: number;
  load: LoadReport;
  findings: Findings;
  totals: LoadTotals;
  voidReason: string | undefined;
}

export interface RunOptions {
  programs: { load: string; recorder: string };
  audio: StreamAudio;
  calls: number;
  seconds: number;
}

const settleMs = 2000;
const lastPacketsMs = 500;

/** The same calls by the C program of `bench/reference`: what they cost at least. */
export async function runReference({ programs, audio, calls, seconds }: RunOptions): Promise<ReferenceRun> {
  const directory = mkdtempSync(join(tmpdir(), 'callreel-reference-'));
  try {
    await using recorder = new NativeProgram(programs.recorder, [String(calls), '127.0.0.1', directory]);
    const { ports } = await recorder.answer<{ ports: number[] }>();
    await using load = await LoadGenerator.start(programs.load, directory, audio, calls * 2);
    for (let call = 0; call < calls; call++) load.expectRelayed(call * 2, call * 2 + 1);
    for (const [stream, port] of ports.entries())
      load.sendTo(stream, { port }, { port: load.ports[stream]! });
    await sleep(systemClock, settleMs);
    const statPath = `/proc/${recorder.pid}/stat`;
    load.beginWindow();
    const before = cpuSecondsOf(statPath);
    await sleep(systemClock, seconds * 1000);
    const cpuSeconds = cpuSecondsOf(statPath) - before;
    const report = await load.report();
    load.quiet();
    await sleep(systemClock, lastPacketsMs);
    const totals = await load.stop();
    recorder.endOrders();
    await recorder.answer();
    const findings = noFindings();
    for (let call = 0; call < calls; call++)
      verifyFile(
        findings,
        await readFile(join(directory, `${call}.wav`)),
        [call * 2, call * 2 + 1],
        audio,
        totals,
      );
    const microsecondsPerPacket = (cpuSeconds * 1e6) / report.sent;
    return {
      cpuSeconds,
      microsecondsPerPacket,
      load: report,
      findings,
      totals,
      voidReason: voidReason(report),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
