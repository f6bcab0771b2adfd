import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep, systemClock } from '../src/clock.ts';
import { streamsOf } from './capacity/connect-call.ts';
import { LoadGenerator, voidReason } from './capacity/load-generator.ts';
import { buildProgram } from './capacity/native-program.ts';
import { cpuSeconds, cpuSecondsSince, processTree, pssMB } from './capacity/process-usage.ts';
import { works } from './capacity/recorded-work.ts';
import { type RecorderRun, runRecorder } from './capacity/recorder-run.ts';
import { type ReferenceRun, type RunOptions, runReference } from './capacity/reference-run.ts';
import { StreamAudio } from './capacity/stream-audio.ts';
import { Asterisk } from './peer/asterisk.ts';
import type { Peer } from './peer/peer.ts';
import { Rtpengine } from './peer/rtpengine.ts';
import { formatTable } from './table.ts';

const usage = `  --calls 200          two-party calls at once
  --seconds 60         measured
  --peers rtpengine    and asterisk
  --driver auto        or ffi, dgram: of ours
  --port 20000         on which a peer is told what to do
  --ports 20002-31999  of its media
  --asterisk-root /    a Debian that has the package asterisk`;

const settleMs = 8000;
const lastPacketsMs = 500;
const peerNames = ['rtpengine', 'asterisk'] as const;
type PeerName = (typeof peerNames)[number];
const titles: Record<PeerName, string> = {
  rtpengine: 'rtpengine, a pcap of each',
  asterisk: 'Asterisk, the mix of each as WAV',
};

interface PeerRun {
  name: PeerName;
  cpuSecondsPerCallMinute: number;
  rssPerCallMB: number;
  notRelayed: number;
  notRecorded: number;
  voidReason: string | undefined;
}

/**
 * The calls of the bench `calls` by other recorders, by the C reference and by Callreel, one after the other: what they
 * cost on one machine in the same minutes.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      calls: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '60' },
      peers: { type: 'string', default: 'rtpengine' },
      driver: { type: 'string' },
      port: { type: 'string', default: '20000' },
      ports: { type: 'string', default: '20002-31999' },
      'asterisk-root': { type: 'string', default: '/' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- peer\n${usage}`);
  const wanted = values.peers.split(',');
  const unknown = wanted.find((each) => !peerNames.some((name) => name === each));
  if (unknown !== undefined) throw new Error(`no such peer: ${unknown} (${peerNames.join(', ')})`);
  const names = peerNames.filter((name) => wanted.includes(name));
  const calls = Number(values.calls);
  const seconds = Number(values.seconds);
  const directory = mkdtempSync(join(tmpdir(), 'callreel-bench-'));
  const start: Record<PeerName, () => Promise<Peer>> = {
    rtpengine: () => Rtpengine.start(directory, Number(values.port), values.ports),
    asterisk: () =>
      Asterisk.start({ root: values['asterisk-root'], sipPort: Number(values.port), ports: values.ports }),
  };
  try {
    const programs = {
      load: await buildProgram('load', directory),
      recorder: await buildProgram('recorder', directory),
    };
    const options = { programs, audio: await StreamAudio.load(), calls, seconds };
    const peers: PeerRun[] = [];
    for (const name of names) {
      tell(name);
      await using peer = await start[name]();
      peers.push({ name, ...(await measure(peer, directory, options)) });
    }
    tell('reference');
    const reference = await runReference(options);
    tell('Callreel');
    await using work = await works.phone('wav');
    return report(peers, reference, await runRecorder({ ...options, driver: values.driver, work }), options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(
  peers: readonly PeerRun[],
  reference: ReferenceRun,
  ours: RecorderRun,
  { calls, seconds }: RunOptions,
) {
  const referenceCost = perCallMinute(reference.cpuSeconds, calls, seconds);
  const cost = perCallMinute(ours.usage.cpuSeconds, calls, seconds);
  const memoryMB = rounded(ours.memoryPerCallMB.server + ours.memoryPerCallMB.workers);
  const { notRelayed } = ours.totals;
  const { gapSamples, lostPackets } = ours.findings;
  process.stdout.write(
    `${formatTable(
      ['', 'CPU s per call-minute', 'ratio', 'MB per call', 'not relayed', 'not recorded'],
      [
        [
          ...['reference in C, a WAV of each', referenceCost, 1, ''],
          ...[reference.totals.notRelayed, reference.findings.lostPackets],
        ],
        ...peers.map((peer) => [
          ...[titles[peer.name], peer.cpuSecondsPerCallMinute],
          ...[rounded(peer.cpuSecondsPerCallMinute / referenceCost), peer.rssPerCallMB],
          ...[peer.notRelayed, peer.notRecorded],
        ]),
        [
          ...[
            `Callreel, ${ours.driver}, a stereo WAV of each`,
            cost,
            rounded(cost / referenceCost),
            memoryMB,
          ],
          ...[notRelayed, lostPackets],
        ],
      ],
    )}\n`,
  );
  const { totals, findings } = reference;
  const { wrong, reordered } = ours.load;
  const isWrong = notRelayed + lostPackets + gapSamples + ours.unheardPackets + wrong + reordered > 0;
  return {
    ...{ driver: ours.driver, calls, seconds, cpuSecondsPerCallMinute: cost },
    referenceCpuSecondsPerCallMinute: referenceCost,
    ratio: rounded(cost / referenceCost),
    ...{ rssPerCallMB: memoryMB, gapSamples, lostPackets: lostPackets + notRelayed },
    peers,
    voidReason: [...peers, reference, ours].find((each) => each.voidReason !== undefined)?.voidReason ?? null,
    shortcomings: [
      ...(totals.notRelayed + findings.lostPackets > 0 ? ['the reference did not do its work'] : []),
      ...(isWrong ? ['what was recorded, or relayed, is not what was sent'] : []),
    ],
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

/** @throws Error where a call is not answered, or has no recording */
async function measure(peer: Peer, directory: string, { programs, audio, calls, seconds }: RunOptions) {
  await using load = await LoadGenerator.start(programs.load, directory, audio, calls * 2);
  const idleMB = pssMB(processTree(peer.pid));
  for (let call = 0; call < calls; call++) {
    const [caller, called] = streamsOf(call);
    const own = { caller: { port: load.ports[caller]! }, called: { port: load.ports[called]! } };
    const media = await peer.connect(call, own);
    load.expectRelayed(caller, called);
    load.begin(caller, media.caller);
    load.begin(called, media.called);
  }
  await sleep(systemClock, settleMs);
  load.beginWindow();
  const pids = processTree(peer.pid);
  const before = cpuSeconds(pids);
  await sleep(systemClock, seconds * 1000);
  const used = cpuSecondsSince(before, pids);
  const sent = await load.report();
  const usedMB = pssMB(pids) - idleMB;
  load.quiet();
  await sleep(systemClock, lastPacketsMs);
  const totals = await load.stop();
  await peer.end();
  return {
    cpuSecondsPerCallMinute: perCallMinute(used, calls, seconds),
    rssPerCallMB: rounded(usedMB / calls),
    notRelayed: totals.notRelayed,
    notRecorded: await peer.notRecorded(totals.sent),
    voidReason: voidReason(sent),
  };
}

function perCallMinute(cpuUsed: number, calls: number, seconds: number): number {
  return rounded((cpuUsed * 60) / (calls * seconds));
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
