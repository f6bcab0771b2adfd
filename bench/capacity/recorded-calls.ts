import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { sleep, systemClock } from '../../src/clock.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { assertMp3 } from '../ready/encoded-check.ts';
import type { BenchServer, FileFormat } from './bench-server.ts';
import { streamsOf } from './connect-call.ts';
import type { LoadTotals } from './load-generator.ts';
import { packetSamples, type StreamAudio } from './stream-audio.ts';
import { callerOf } from './two-party-signalling.ts';
import { type ChannelFindings, verifyChannel } from './verify-channel.ts';

export interface RecordingBody {
  recording_id: string;
  connection_id: string | null;
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
  /** Of these, and those missing at a channel's beginning or end, or there though they were never sent. */
  lostPackets: number;
  /** Between the beginning of a channel and its first packet, at most. */
  leadingMs: number;
  /** By how much the places of a recording's channels differ from the times at which they were sent, at most. */
  placedApartMs: number;
}

/** Less than a packet. */
export const mostApartMs = 15;

interface Page {
  next: string | null;
  results: RecordingBody[];
}

/** Of a recording of a conversation, and of one of a call. */
const decentReasons: ReadonlySet<string> = new Set(['conversation_ended', 'call_ended']);
const pageSize = 200;
const pollMs = 500;
const endTimeoutMs = 120_000;
export const samplesPerMs = 8;
const packetMs = packetSamples / samplesPerMs;
/** A time in milliseconds that is not whole is rounded. */
const lengthToleranceMs = 1;

/** Once all of them have ended. @throws Error where one ends otherwise than with its conversation or its call, or never does */
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
      const odd = done.find(({ reason }) => !decentReasons.has(reason ?? ''));
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
  return { recordings: 0, gapSamples: 0, lostPackets: 0, leadingMs: 0, placedApartMs: 0 };
}

/**
 * What the stereo recordings of two-party calls hold, each once it has ended.
 * @throws as `endedRecordings`, and where one is not of such a call
 */
export async function verifyCalls(run: RecordedCalls & { calls: number }): Promise<Findings> {
  return await verifyRecordings(run, await endedRecordings(run.server, run.calls, run.files !== undefined));
}

export interface RecordedCalls {
  server: BenchServer;
  audio: StreamAudio;
  totals: LoadTotals;
  /** Of those written along: WAV is held to what was sent; MP3 decoded, and held to the WAV that is downloaded. */
  files?: FileFormat | undefined;
}

/** @throws as `verifyCalls`, and where two are of one call */
export async function verifyRecordings(
  { server, audio, totals, files }: RecordedCalls,
  recordings: readonly RecordingBody[],
): Promise<Findings> {
  const findings = noFindings();
  const calls = new Set<number>();
  for (const { recording_id: id, file, recorded_ms: recordedMs } of recordings) {
    const { channels } = await server.api<WholeRecordingBody>('GET', `/v1/recordings/${id}`);
    const left = channels.findIndex(({ direction }) => direction === 'incoming');
    const call = indexOfCaller(channels[left]?.from ?? '', totals.sent.length / 2);
    if (calls.has(call)) throw new Error(`two recordings of ${callerOf(call)}`);
    calls.add(call);
    const streams = streamsOf(call);
    const wav = files === 'wav' ? await readRecording(file!.path!) : await download(server, id, 'stereo');
    if (files === 'mp3') await assertMp3(await readRecording(file!.path!), decodeWav(wav).channels);
    assertLength(wavSamples(wav), recordedMs);
    verifyFile(findings, wav, left === 0 ? streams : streams.toReversed(), audio, totals);
  }
  return findings;
}

export function minutesOf(recordings: readonly RecordingBody[]): number {
  return recordings.reduce((sum, { recorded_ms: ms }) => sum + (ms ?? 0), 0) / 60_000;
}

/** @throws Error where none of so many calls so */
export function indexOfCaller(from: string, calls: number): number {
  for (let call = 0; call < calls; call++) if (callerOf(call) === from) return call;
  throw new Error(`nobody called as ${from}`);
}

/**
 * Adds what a WAV file holds.
 * @param streams whose each channel is
 * @param fromStart all that was sent is to be there; false: they were recorded from some later packet on
 * @throws Error where one is not in it
 */
export function verifyFile(
  findings: Findings,
  wav: Uint8Array,
  streams: readonly number[],
  audio: StreamAudio,
  totals: LoadTotals,
  fromStart = true,
): void {
  const { rateHz, channels } = decodeWav(wav);
  if (rateHz !== samplesPerMs * 1000 || channels.length !== streams.length)
    throw new Error(`a file of ${channels.length} channels at ${rateHz} Hz`);
  findings.recordings++;
  const places = streams.map((stream, index) => {
    const channel = addChannel(findings, channels[index]!, stream, audio, totals, fromStart);
    return placeMs(channel, totals.firstDueUs[stream]!);
  });
  // Which packet the first one is, is known modulo the audio's length otherwise.
  if (fromStart) addPlaces(findings, places);
}

/** In a recording that began with the call, in ms from when the stream's first packet was to be sent. */
function placeMs({ leadingSamples, missingAtBegin }: ChannelFindings, firstDueUs: number): number {
  return leadingSamples / samplesPerMs - missingAtBegin * packetMs - firstDueUs / 1000;
}

/** @param places of all channels of a recording, on one scale that has when they were sent taken off */
export function addPlaces(findings: Findings, places: readonly number[]): void {
  if (places.length > 0)
    findings.placedApartMs = Math.max(findings.placedApartMs, Math.max(...places) - Math.min(...places));
}

/** Adds what a channel holds. @throws as `verifyFile` */
export function addChannel(
  findings: Findings,
  samples: Int16Array,
  stream: number,
  audio: StreamAudio,
  totals: LoadTotals,
  fromStart = true,
): ChannelFindings {
  const sent = { from: fromStart ? 0 : undefined, to: totals.sent[stream]! };
  const channel = verifyChannel(samples, audio, stream, sent);
  findings.gapSamples += channel.gapSamples;
  findings.lostPackets +=
    channel.gapSamples / packetSamples + channel.missingAtBegin + Math.abs(channel.missingAtEnd);
  findings.leadingMs = Math.max(findings.leadingMs, channel.leadingSamples / samplesPerMs);
  return channel;
}

/** @throws AssertionError where the file is not as long as the recording is said to be */
export function assertLength({ length }: Int16Array, recordedMs: number | null): void {
  const ms = length / samplesPerMs;
  assert.ok(Math.abs(ms - (recordedMs ?? 0)) <= lengthToleranceMs, `${ms} ms of ${recordedMs}`);
}

/** Of a WAV file's first channel. */
export function wavSamples(wav: Uint8Array): Int16Array {
  return decodeWav(wav).channels[0]!;
}

export async function readRecording(path: string): Promise<Uint8Array> {
  return await readFile(path);
}
