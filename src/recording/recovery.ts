import { closeSync, fsyncSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { sweepConversation } from '../spool/erase.ts';
import { listDirectory, syncPath } from '../spool/files.ts';
import type { MasterKey } from '../spool/keys.ts';
import { isConversationName, manifestSuffix } from '../spool/layout.ts';
import { decodeManifest } from '../spool/manifest.ts';
import { encodeManifestLine } from '../spool/manifest-line.ts';
import { openManifest, readManifestBytes, readTrack, type SpoolTrack } from '../spool/reader.ts';
import {
  aliveIntervalMs,
  type ManifestEnd,
  type ManifestHeader,
  type ManifestRecord,
  type ManifestTrackEnd,
} from '../spool/records.ts';
import { type ReplayReport, replayJournals } from '../spool/replay.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import { RecordedTrack } from './recorded-track.ts';

export interface RecoveryOptions {
  spoolDirectory: string;
  masterKey: MasterKey;
  /** One worker died while others go on: only its journals and rooms. Without it everything, and nothing may run. */
  lostWorker?: LostWorker;
}

export interface LostWorker {
  /** The `workerId` its writer thread was started with. */
  workerId: string;
  conversationIds: Iterable<string>;
  /** When that was noticed: a recording that was paused went on until then, as far as the spool bears it out. */
  lostUnixMs?: number;
}

export interface RecoveredRecording {
  header: ManifestHeader;
  end: ManifestEnd;
  packets: number;
}

export interface RecoveryFailure {
  conversationId: string;
  recordingId: string;
  error: CallreelError;
}

export interface RecoveryReport {
  /** Recordings that had no end and have one now, with the reason `interrupted`. */
  finished: RecoveredRecording[];
  /**
   * SPOOL_KEY_MISSING: left as it is for the right key. SPOOL_CORRUPT: finished up to the damage when it is also in
   * `finished`; not readable at all otherwise.
   */
  failures: RecoveryFailure[];
  replay: ReplayReport;
}

/**
 * Makes whole what a killed worker or server left: the journals' entries go into their files, then every recording
 * without an end gets its missing track ends and an end. May be killed and begun again at any point; what it has
 * finished it finds finished.
 */
export function recoverSpool(options: RecoveryOptions): RecoveryReport {
  const { spoolDirectory, lostWorker } = options;
  const replay = replayJournals(spoolDirectory, options.masterKey, lostWorker?.workerId);
  const report: RecoveryReport = { finished: [], failures: [], replay };
  const names = lostWorker?.conversationIds ?? listDirectory(spoolDirectory).filter(isConversationName);
  for (const conversationId of names) recoverConversation(options, conversationId, report);
  return report;
}

function recoverConversation(options: RecoveryOptions, conversationId: string, report: RecoveryReport): void {
  const directory = join(options.spoolDirectory, conversationId);
  const found: FoundRecording[] = [];
  for (const name of listDirectory(directory)) {
    if (!name.endsWith(manifestSuffix)) continue;
    const recordingId = name.slice(0, -manifestSuffix.length);
    const fail = (error: CallreelError) => report.failures.push({ conversationId, recordingId, error });
    attempt(fail, () => {
      found.push(readRecording(join(directory, name), options.masterKey, fail));
    });
  }
  const lastKnownMs = lastKnown(found, options.lostWorker?.lostUnixMs);
  for (const recording of found)
    if (!recording.hasEnded) report.finished.push(finishRecording(recording, lastKnownMs));
  sweepConversation(options.spoolDirectory, conversationId);
}

function attempt(fail: (error: CallreelError) => void, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    fail(error);
  }
}

interface FoundRecording {
  path: string;
  goodBytes: number;
  header: ManifestHeader;
  records: ManifestRecord[];
  hasEnded: boolean;
  /** Of tracks that had no end, up to what is in the spool. */
  trackEnds: ManifestTrackEnd[];
  lastSample: number;
}

function readRecording(
  path: string,
  masterKey: MasterKey,
  fail: (error: CallreelError) => void,
): FoundRecording {
  const { records, goodBytes } = decodeManifest(readManifestBytes(path), path);
  const header = records[0];
  if (header?.type !== 'header') {
    // Its first line never became whole: no key, no track, nothing to finish.
    unlinkSync(path);
    throw new CallreelError('SPOOL_CORRUPT', 'the manifest has no header', { where: path });
  }
  const hasEnded = records.some((record) => record.type === 'end');
  const trackEnds = hasEnded
    ? []
    : openManifest(path, masterKey)
        .tracks.filter((track) => track.endSample === undefined)
        .map((track) => trackEndOf(track, header.rateHz, fail));
  const last = lastSample([...records, ...trackEnds]);
  return { path, goodBytes, header, records, hasEnded, trackEnds, lastSample: last };
}

/** How far the room came, in milliseconds of its clock: a paused recording alone does not tell. */
function lastKnown(recordings: readonly FoundRecording[], lostUnixMs: number | undefined): number {
  const lastMs = Math.max(
    0,
    ...recordings.map(({ header, lastSample }) => (lastSample * 1000) / header.rateHz),
  );
  const [first] = recordings;
  if (!first || lostUnixMs === undefined) return lastMs;
  // Clocks are set now and then; what lives says so.
  return Math.max(lastMs, Math.min(lostUnixMs - first.header.originUnixMs, lastMs + aliveIntervalMs));
}

function finishRecording(recording: FoundRecording, lastKnownMs: number): RecoveredRecording {
  const { path, goodBytes, header, records } = recording;
  const isPaused = records.findLast(({ type }) => type === 'pause' || type === 'resume')?.type === 'pause';
  const knownSample = Math.round((lastKnownMs * header.rateHz) / 1000);
  const lastSample = isPaused ? Math.max(recording.lastSample, knownSample) : recording.lastSample;
  const trackEnds = recording.trackEnds.map((track) =>
    isPaused ? { ...track, endSample: lastSample } : track,
  );
  const waits = header.waitsFor !== undefined && !records.some(({ type }) => type === 'begin');
  const lacksConsent = header.waitsFor === 'consent' && !records.some(({ type }) => type === 'consent');
  // What only waited has no length.
  const atSample = waits ? header.startSample : lastSample;
  const endedUnixMs = header.originUnixMs + Math.round((lastSample * 1000) / header.rateHz);
  const reason = lacksConsent ? 'no_consent' : 'interrupted';
  const end: ManifestEnd = { type: 'end', atSample, endedUnixMs, reason };
  appendLines(path, goodBytes, [...trackEnds, end]);
  const packets = [...records, ...trackEnds].reduce(
    (sum, record) => sum + (record.type === 'track-end' ? record.packets : 0),
    0,
  );
  return { header, end, packets };
}

function trackEndOf(
  track: SpoolTrack,
  rateHz: number,
  fail: (error: CallreelError) => void,
): ManifestTrackEnd {
  const recorded = new RecordedTrack(track, rateHz);
  attempt(fail, () => {
    let ticksOf = (_payload: Uint8Array): number => 0;
    for (const record of readTrack(track)) {
      if (record.kind === 'format') {
        recorded.format(record);
        ticksOf = (payload) => payloadDurationTicks(record.codec, record.clockRateHz, payload);
      } else if (record.kind === 'packet') {
        const { sequenceNumber, rtpTime, arrivalUs, payload } = record;
        recorded.place(sequenceNumber, rtpTime, arrivalUs, ticksOf(payload));
      } else if (record.kind === 'sender-report') recorded.report(record);
      else if (record.kind === 'overflow') recorded.lose(record.packets);
    }
  });
  const { trackId, packets, overflowPackets } = recorded;
  const endSample = Math.max(track.startSample, recorded.mediaEndSample);
  return { type: 'track-end', trackId, endSample, packets, overflowPackets };
}

function lastSample(records: readonly ManifestRecord[]): number {
  let last = 0;
  for (const record of records) {
    if (record.type === 'track-end') last = Math.max(last, record.endSample);
    else if ('startSample' in record) last = Math.max(last, record.startSample);
    else last = Math.max(last, record.atSample);
  }
  return last;
}

/** Cuts a torn tail off, appends and syncs. Killed in the middle it leaves a torn tail, and is done again. */
function appendLines(path: string, goodBytes: number, records: readonly ManifestRecord[]): void {
  const lines = Buffer.from(records.map(encodeManifestLine).join(''));
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, goodBytes);
    for (let done = 0; done < lines.length; )
      done += writeSync(fd, lines, done, lines.length - done, goodBytes + done);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncPath(join(path, '..'));
}
