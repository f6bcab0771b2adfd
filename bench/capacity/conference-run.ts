import { sleep, systemClock } from '../../src/clock.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { BenchServer, type ServerUsage } from './bench-server.ts';
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
import type { StreamAudio } from './stream-audio.ts';
import { latenessMs } from './tick-lateness.ts';
import { callerOf, TwoPartySignalling } from './two-party-signalling.ts';
import { longestSilence } from './verify-channel.ts';

export interface ConferenceRunOptions {
  /** The load generator. */
  load: string;
  audio: StreamAudio;
  conferences: number;
  participants: number;
  seconds: number;
  driver: string | undefined;
  /** Directory of CPU profiles. */
  profile: string | undefined;
}

export interface ConferenceRun {
  driver: string;
  /** Of the window in which everybody talks. */
  live: ServerUsage;
  /** CPU seconds for each minute of a participant, while it talks and the mix is written. */
  liveSecondsPerMinute: number;
  /** For each recorded minute of a participant: its file, from the spool. */
  renderSecondsPerMinute: number;
  memoryPerParticipantMB: number;
  load: LoadReport;
  findings: Findings;
  /** Runs of silence in the mix, which everybody who talks leaves none for. */
  mixGapSamples: number;
  /** Packets of the mix that did not come to a participant. */
  unheardPackets: number;
  tickLatenessP999Ms: number;
}

const joiningAtOnce = 8;
const hangUpsPerSecond = 50;
const settleMs = 8000;
const lastPacketsMs = 500;
const packetsPerSecond = 50;
const samplesPerMs = 8;
const silentSamples = 160;
const lengthToleranceMs = 100;
const firstNumber = 10_000;

/** @throws Error where the load was not what was planned, or a recording is not what was sent */
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
  const idle = server.memoryMB;
  let next = 0;
  const joinSome = async () => {
    for (let stream = next++; stream < streams; stream = next++) {
      const uri = server.process.sipUri(String(firstNumber + Math.floor(stream / participants)));
      const own = { port: load.ports[stream]! };
      load.sendTo(stream, await signalling.join(stream, uri, own), own);
    }
  };
  await Promise.all(Array.from({ length: joiningAtOnce }, joinSome));
  await sleep(systemClock, settleMs);

  const ticks = await server.ticks();
  load.beginWindow();
  const mark = server.mark();
  await sleep(systemClock, seconds * 1000);
  const live = server.usageSince(mark);
  const report = await load.report();
  const tickLatenessP999Ms = latenessMs(ticks, await server.ticks(), 0.999);
  const memory = server.memoryMB;
  const memoryPerParticipantMB = (memory.server + memory.workers - idle.server - idle.workers) / streams;

  const totals = await load.stop();
  await sleep(systemClock, lastPacketsMs);
  await signalling.hangUp(hangUpsPerSecond);
  const reason = voidReason(report);
  if (reason !== undefined) throw new Error(`the run is void: ${reason}`);
  const recordings = await endedRecordings(server, conferences, true);
  const rendering = server.mark();
  const findings = noFindings();
  let recordedMinutes = 0;
  let mixGapSamples = 0;
  for (const { recording_id: id, file, recorded_ms: recordedMs } of recordings) {
    const { channels } = await server.api<WholeRecordingBody>('GET', `/v1/recordings/${id}`);
    for (const { channel_id: channelId, from } of channels) {
      const stream = Array.from({ length: streams }, (_, index) => index).find(
        (index) => callerOf(index) === from,
      );
      if (stream === undefined) throw new Error(`nobody called as ${from}`);
      verifyFile(findings, await download(server, id, channelId), [stream], audio, totals);
      recordedMinutes += (recordedMs ?? 0) / 60_000;
    }
    mixGapSamples += verifyMix(await readRecording(file!.path!), recordedMs ?? 0);
  }
  const rendered = server.usageSince(rendering);
  return {
    driver: server.driver,
    live,
    liveSecondsPerMinute: (live.cpuSeconds * 60) / (seconds * streams),
    renderSecondsPerMinute: rendered.cpuSeconds / recordedMinutes,
    ...{ memoryPerParticipantMB, load: report, findings, mixGapSamples },
    // One of each may lie on either side of the border of the window.
    unheardPackets: Math.max(0, Math.round(streams * (packetsPerSecond * seconds - 1)) - report.received),
    tickLatenessP999Ms,
  };
}

/** @returns samples of silence in the middle of it */
function verifyMix(wav: Uint8Array, recordedMs: number): number {
  const [mix] = decodeWav(wav).channels;
  const lengthMs = (mix?.length ?? 0) / samplesPerMs;
  if (Math.abs(lengthMs - recordedMs) > lengthToleranceMs)
    throw new Error(`a mix of ${lengthMs} ms, ${recordedMs} ms were recorded`);
  const silence = longestSilence(mix!);
  return silence >= silentSamples ? silence : 0;
}
