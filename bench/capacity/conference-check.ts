import { sleep, systemClock } from '../../src/clock.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { BenchServer } from './bench-server.ts';
import type { HeardStream } from './heard-stream.ts';
import type { LoadTotals } from './load-generator.ts';
import {
  addChannel,
  addPlaces,
  download,
  type Findings,
  indexOfCaller,
  noFindings,
  type RecordingBody,
  readRecording,
  samplesPerMs,
  type WholeRecordingBody,
} from './recorded-calls.ts';
import { startsIn } from './recording-starts.ts';
import type { StreamAudio } from './stream-audio.ts';
import { type HeardFindings, verifyHeard } from './verify-heard.ts';
import { ChannelSum } from './verify-mix.ts';

/** Who takes part in which conference: the first streams in the first one, and so on. */
export interface Conferences {
  conferences: number;
  participants: number;
  /** Of each conference the first so many; the others are silent. */
  talkers: number;
  /** What the silent ones send: packets of digital silence, as muted phones do, or nothing. */
  silent: SilentKind;
}

export type SilentKind = 'packets' | 'none';

/** What recordings of conferences hold, against what was sent. */
export interface ConferenceFindings extends Findings {
  /** Samples of the mixes that are not the sum of the channels, behind the limiter. */
  wrongMixSamples: number;
  /** Recorded, of all participants. */
  participantMinutes: number;
  /** What is wrong beside samples. */
  faults: string[];
}

/** What all participants heard, against what the others said. */
export interface HeardSummary {
  unheardPackets: number;
  wrongPackets: number;
  /** Of the participant who was sent most of them, as a part of all that it was sent. */
  mostWrongShare: number;
  heardAfterMs: number;
}

const measuredTimeoutMs = 60_000;
const pollMs = 500;

export function talks({ participants, talkers }: Conferences, stream: number): boolean {
  return stream % participants < talkers;
}

export function sends(of: Conferences, stream: number): boolean {
  return talks(of, stream) || of.silent === 'packets';
}

/** Resolves when all have their quality figures. @throws Error where one never has */
export async function measured(server: BenchServer, recordings: readonly RecordingBody[]): Promise<void> {
  const untilUs = systemClock.monotonicUs() + measuredTimeoutMs * 1000;
  for (const { recording_id: id } of recordings)
    for (;;) {
      const { quality } = await server.api<{ quality: object | null }>('GET', `/v1/recordings/${id}`);
      if (quality) break;
      if (systemClock.monotonicUs() > untilUs) throw new Error(`recording ${id} was never measured`);
      await sleep(systemClock, pollMs);
    }
}

interface RecordedConference extends Omit<WholeRecordingBody, 'channels'> {
  conversation_id: string;
  channels: (WholeRecordingBody['channels'][number] & { no_media: boolean; start_ms: number })[];
}

/** What a run sent, and where its recordings are. */
export interface SentConferences extends Conferences {
  server: BenchServer;
  audio: StreamAudio;
  totals: LoadTotals;
  heard: readonly HeardStream[];
}

/** Each conference has one recording, each of its participants one channel of it. */
export async function verifyConferences(
  sent: SentConferences,
  recordings: readonly RecordingBody[],
): Promise<ConferenceFindings> {
  const findings: ConferenceFindings = {
    ...noFindings(),
    ...{ wrongMixSamples: 0, participantMinutes: 0, faults: [] },
  };
  const recorded: number[] = [];
  for (const { recording_id: id } of recordings)
    try {
      const recording = await sent.server.api<RecordedConference>('GET', `/v1/recordings/${id}`);
      const streams = recording.channels.map(({ from }) => indexOfCaller(from, sent.heard.length));
      recorded.push(...streams);
      await verifyConference(findings, sent, recording, streams);
    } catch (error) {
      findings.faults.push(`recording ${id}: ${error instanceof Error ? error.message : error}`);
    }
  for (const stream of sent.heard.keys()) {
    const times = recorded.filter((each) => each === stream).length;
    if (times !== 1) findings.faults.push(`stream ${stream} is recorded ${times} times`);
  }
  return findings;
}

/**
 * @param streams of its channels
 * @throws Error where it is not a recording of one conference, or holds something else
 */
async function verifyConference(
  findings: ConferenceFindings,
  sent: SentConferences,
  recording: RecordedConference,
  streams: readonly number[],
): Promise<void> {
  const { recording_id: id, channels, file, recorded_ms: recordedMs } = recording;
  const conferences = new Set(streams.map((stream) => Math.floor(stream / sent.participants)));
  if (conferences.size !== 1 || streams.length !== sent.participants)
    throw new Error(`its channels are of streams ${streams.join(', ')}`);
  findings.recordings++;
  findings.participantMinutes += (streams.length * (recordedMs ?? 0)) / 60_000;
  const starts = startsIn(sent.server.dataDir, recording.conversation_id);
  const startOf = new Map(starts.channels.map(({ channelId, startSample }) => [channelId, startSample]));
  const mix = onlyChannel(await readRecording(file!.path!));
  if (Math.abs(mix.length / samplesPerMs - (recordedMs ?? 0)) > 1)
    throw new Error(`a mix of ${mix.length} samples, ${recordedMs} ms were recorded`);
  const sum = new ChannelSum(starts.recording, mix.length);
  const places: number[] = [];
  for (const [index, channel] of channels.entries()) {
    const stream = streams[index]!;
    if (channel.no_media === sends(sent, stream))
      throw new Error(`stream ${stream}: no_media is ${channel.no_media}`);
    const start = startOf.get(channel.channel_id) ?? Number.NaN;
    if (!(Math.abs(start / samplesPerMs - channel.start_ms) <= 1))
      throw new Error(`stream ${stream} begins at sample ${start}, start_ms is ${channel.start_ms}`);
    const samples = onlyChannel(await download(sent.server, id, channel.channel_id));
    sum.add(samples, start);
    if (talks(sent, stream)) {
      const { leadingSamples, firstPacket } = addChannel(findings, samples, stream, sent.audio, sent.totals);
      places.push((start + leadingSamples) / samplesPerMs - dueMs(sent.heard[stream]!, firstPacket));
    } else if (samples.some((sample) => sample !== 0)) throw new Error(`stream ${stream} is not silent`);
  }
  addPlaces(findings, places);
  findings.wrongMixSamples += sum.verify(mix).wrongSamples;
}

function onlyChannel(wav: Uint8Array): Int16Array {
  const { rateHz, channels } = decodeWav(wav);
  if (rateHz !== samplesPerMs * 1000 || channels.length !== 1)
    throw new Error(`a file of ${channels.length} channels at ${rateHz} Hz`);
  return channels[0]!;
}

/** When a packet of the stream was to be sent, in ms from the beginning of listening. */
function dueMs({ dueUs, nextPacket }: HeardStream, packet: number): number {
  return dueUs / 1000 + (packet - nextPacket) * 20;
}

/** @param packets that each was to hear */
export function verifyAllHeard(
  { audio, heard, ...of }: Omit<SentConferences, 'server' | 'totals'>,
  packets: number,
): HeardSummary {
  const all: HeardFindings[] = [];
  let heardAfterMs = 0;
  for (let conference = 0; conference < of.conferences; conference++) {
    const first = conference * of.participants;
    const found = verifyHeard(
      heard.slice(first, first + of.participants).map((each, index) => ({
        heard: each,
        said: talks(of, first + index)
          ? (packet: number, count: number) => audio.said(first + index, packet, count)
          : undefined,
        sends: sends(of, first + index),
      })),
      packets,
    );
    all.push(...found.participants);
    heardAfterMs = Math.max(heardAfterMs, found.heardAfterMs);
  }
  return {
    unheardPackets: all.reduce((sum, { unheardPackets }) => sum + unheardPackets, 0),
    wrongPackets: all.reduce((sum, { wrongPackets }) => sum + wrongPackets, 0),
    mostWrongShare: Math.max(...all.map(({ wrongPackets }) => wrongPackets / packets)),
    heardAfterMs,
  };
}
