import { sleep, systemClock } from '../../src/clock.ts';
import { BenchServer, type ServerUsage } from './bench-server.ts';
import {
  type ConferenceFindings,
  type Conferences,
  type HeardSummary,
  measured,
  sends,
  talks,
  verifyAllHeard,
  verifyConferences,
} from './conference-check.ts';
import { LoadGenerator, type LoadReport, voidReason } from './load-generator.ts';
import { endedRecordings } from './recorded-calls.ts';
import type { StreamAudio } from './stream-audio.ts';
import { latenessMs } from './tick-lateness.ts';
import { TwoPartySignalling } from './two-party-signalling.ts';

export interface ConferenceRunOptions extends Conferences {
  /** The load generator. */
  load: string;
  audio: StreamAudio;
  seconds: number;
  driver: string | undefined;
  /** Directory of CPU profiles. */
  profile: string | undefined;
}

export interface ConferenceRun {
  driver: string;
  driverNote: string | undefined;
  /** Of the window in which everybody is there and the mix is written. */
  live: ServerUsage;
  /** From the end of the window until the mixes are whole and everything is measured. */
  end: ServerUsage;
  /** Of the files of the participants, from the spool. */
  rendering: ServerUsage;
  memoryPerParticipantMB: number;
  load: LoadReport;
  findings: ConferenceFindings;
  /** In the window. */
  heard: HeardSummary;
  tickLatenessP999Ms: number;
  /** Why the figures tell nothing; undefined where they do. */
  voidReason: string | undefined;
}

const joiningAtOnce = 8;
const hangUpsPerSecond = 50;
const settleMs = 8000;
const lastPacketsMs = 500;
const packetsPerSecond = 50;
const firstNumber = 10_000;

/** @throws Error where a recording does not come to its end */
export async function runConferences(options: ConferenceRunOptions): Promise<ConferenceRun> {
  const { conferences, participants, seconds, audio, driver, profile } = options;
  const streams = conferences * participants;
  await using signalling = await TwoPartySignalling.open();
  await using server = await BenchServer.start({
    routines: new Map(
      Array.from({ length: conferences }, (_, conference) => [
        String(firstNumber + conference),
        [{ name: 'JoinConference', conference_name: `conference ${conference}`, do_record: true }],
      ]),
    ),
    files: 'wav',
    settings: {
      CALLREEL_RECORDING_FILES_STEREO: 'false',
      ...(driver !== undefined && { CALLREEL_RTP_DRIVER: driver }),
      ...(profile !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
    },
  });
  await using load = await LoadGenerator.start(options.load, server.dataDir, audio, streams);
  const idle = await server.restedMemoryMB();
  await joinAll(options, signalling, server, load);
  await sleep(systemClock, settleMs);

  const ticks = await server.ticks();
  load.beginWindow();
  load.listen(packetsPerSecond * seconds);
  const mark = server.mark();
  await sleep(systemClock, seconds * 1000);
  const live = server.usageSince(mark);
  const ending = server.mark();
  const report = await load.report();
  const tickLatenessP999Ms = latenessMs(ticks, await server.ticks(), 0.999);
  const memory = server.memoryMB;
  const memoryPerParticipantMB = (memory.server + memory.workers - idle.server - idle.workers) / streams;

  await sleep(systemClock, lastPacketsMs);
  load.quiet();
  await sleep(systemClock, lastPacketsMs);
  const heard = await load.heard(server.dataDir);
  const totals = await load.stop();
  await signalling.hangUp(hangUpsPerSecond);
  const recordings = await endedRecordings(server, conferences, true);
  await measured(server, recordings);
  const end = server.usageSince(ending);

  const marked = server.mark();
  const sent = { ...options, server, totals, heard };
  const findings = await verifyConferences(sent, recordings);
  const rendering = server.usageSince(marked);
  return {
    ...{ driver: server.driver, driverNote: server.driverNote },
    ...{ live, end, rendering, memoryPerParticipantMB, load: report, findings, tickLatenessP999Ms },
    heard: verifyAllHeard(sent, packetsPerSecond * seconds),
    voidReason: voidReason(report),
  };
}

async function joinAll(
  of: Conferences,
  signalling: TwoPartySignalling,
  server: BenchServer,
  load: LoadGenerator,
): Promise<void> {
  const streams = of.conferences * of.participants;
  let next = 0;
  const joinSome = async () => {
    for (let stream = next++; stream < streams; stream = next++) {
      const uri = server.process.sipUri(String(firstNumber + Math.floor(stream / of.participants)));
      const own = { port: load.ports[stream]! };
      if (!talks(of, stream)) load.silence(stream);
      const media = await signalling.join(stream, uri, own);
      if (sends(of, stream)) load.sendTo(stream, media, own);
    }
  };
  await Promise.all(Array.from({ length: joiningAtOnce }, joinSome));
}
