import { readFile } from 'node:fs/promises';
import { sleep, systemClock } from '../../src/clock.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { BenchServer } from './bench-server.ts';
import type { LoadTotals } from './load-generator.ts';
import { packetSamples, type StreamAudio } from './stream-audio.ts';
import { verifyChannel } from './verify-channel.ts';

export interface RecordingBody {
  recording_id: string;
  state: string;
  reason: string | null;
  recorded_ms: number | null;
  file: { state: string; path: string | null; reason: string | null } | null;
}

export interface WholeRecordingBody extends RecordingBody {
  channels: { channel_id: string; from: string; to: string; direction: string }[];
}

/** What all recordings of a run hold, against what was sent. */
export interface Findings {
  recordings: number;
  /** Missing or other than what was sent, between a channel's first and last packet. */
  gapSamples: number;
  /** Of these and those missing at a channel's end. */
  lostPackets: number;
  /** Between the beginning of a channel and its first packet, at most. */
  leadingMs: number;
}

interface Page {
  next: string | null;
  results: RecordingBody[];
}

const pageSize = 200;
const pollMs = 500;
const endTimeoutMs = 120_000;
const samplesPerMs = 8;

/** Once all of them have ended. @throws Error where one ends otherwise than with its conversation, or never does */
export async function endedRecordings(
  server: BenchServer,
  count: number,
  withFiles: boolean,
): Promise<RecordingBody[]> {
  const untilUs = systemClock.monotonicUs() + endTimeoutMs * 1000;
  for (;;) {
    const all = await listRecordings(server);
    const done = all.filter(
      ({ state, file }) => state === 'ended' && (!withFiles || file?.state === 'written'),
    );
    if (done.length === count) {
      const odd = done.find(({ reason }) => reason !== 'conversation_ended');
      if (odd) throw new Error(`recording ${odd.recording_id} ended by ${odd.reason}`);
      return done;
    }
    if (systemClock.monotonicUs() > untilUs) throw new Error(`${done.length} of ${count} recordings ended`);
    await sleep(systemClock, pollMs);
  }
}

async function listRecordings(server: BenchServer): Promise<RecordingBody[]> {
  const all: RecordingBody[] = [];
  let next: string | null = '';
  while (next !== null) {
    const cursor: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
    const page: Page = await server.api<Page>('GET', `/v1/recordings?limit=${pageSize}${cursor}`);
    all.push(...page.results);
    next = page.next;
  }
  return all;
}

/** A WAV file of a recording, rendered from the spool. */
export async function download(
  server: BenchServer,
  recordingId: string,
  channels: string,
): Promise<Uint8Array> {
  const url = `${server.process.publicUrl}/v1/recordings/${recordingId}/download?format=wav&channels=${channels}`;
  const response = await fetch(url, { headers: { authorization: server.process.authorization } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export function noFindings(): Findings {
  return { recordings: 0, gapSamples: 0, lostPackets: 0, leadingMs: 0 };
}

/**
 * Adds what a WAV file holds.
 * @param streams whose each channel is
 * @throws Error where one is not in it
 */
export function verifyFile(
  findings: Findings,
  wav: Uint8Array,
  streams: readonly number[],
  audio: StreamAudio,
  totals: LoadTotals,
): void {
  const { rateHz, channels } = decodeWav(wav);
  if (rateHz !== samplesPerMs * 1000 || channels.length !== streams.length)
    throw new Error(`a file of ${channels.length} channels at ${rateHz} Hz`);
  findings.recordings++;
  for (const [index, stream] of streams.entries()) {
    const channel = verifyChannel(channels[index]!, audio, stream, totals.sent[stream]!);
    findings.gapSamples += channel.gapSamples;
    findings.lostPackets += channel.gapSamples / packetSamples + channel.missingAtEnd;
    findings.leadingMs = Math.max(findings.leadingMs, channel.leadingSamples / samplesPerMs);
  }
}

export async function readRecording(path: string): Promise<Uint8Array> {
  return await readFile(path);
}
