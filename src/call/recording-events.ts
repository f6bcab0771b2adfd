import { type AudioFileFormat, type AudioFileRateHz, audioFileBytes } from '../container/audio-file.ts';
import type { Delivery, Recording as RecordingRow } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import type { RecordingChanged, RecordingDelivery, RecordingTranscript } from './neutral-events.ts';
import type { Recording, RecordingWishes } from './recording.ts';
import { evidenceOf, recordingEvidence } from './recording-evidence.ts';

/** Who is told of a recording, and in whose form. */
export interface Telling {
  statusUrl: string;
  /** Names the formatter. */
  dialect: string;
  fallbackUrl?: string | undefined;
  signer?: string | undefined;
}

/** @param wishes as a row or a manifest keeps them @returns undefined when nobody is told */
export function tellingOf(wishes: unknown): Telling | undefined {
  const { statusUrl, dialect, statusFallbackUrl: fallbackUrl, signer } = asWishes(wishes);
  if (typeof statusUrl !== 'string') return undefined;
  return { statusUrl, dialect: typeof dialect === 'string' ? dialect : 'native', fallbackUrl, signer };
}

/** It began, was paused, or goes on. @returns undefined for one that waits */
export function progressEvent(
  recording: Recording,
  conferenceName: string,
  atSample: number,
): RecordingChanged | undefined {
  const { recordingId, conversationId, accountId, rateHz, wishes, call, activity } = recording;
  if (activity === 'waiting') return undefined;
  return {
    ...{ kind: 'recording.changed', accountId, conversationId, conferenceName, recordingId },
    state: activity,
    connectionId: call?.legId,
    controlId: wishes.controlId,
    clientState: wishes.clientState,
    ...fileOf(wishes),
    resumed: activity === 'recording' && recording.pauseBehaviour !== undefined,
    pauseBehaviour: activity === 'paused' ? recording.pauseBehaviour : undefined,
    atMs: Math.round((atSample * 1000) / rateHz),
    ...recordingEvidence(recording.consents, recording.heardNotices, rateHz),
  };
}

/** @param startedUnixMs when its audio begins; without it: when it was asked for */
export function endEvent(
  row: RecordingRow,
  conferenceName: string,
  startedUnixMs: number = row.startedAt.getTime(),
): RecordingChanged {
  const { accountId, conversationId, recordingId, rateHz, startSample, endSample } = row;
  const toMs = (sample: number | null) => Math.round(((sample ?? 0) * 1000) / rateHz);
  const reason = row.reason ?? 'error';
  const wanted = fileOf(row.wishes);
  return {
    ...{ kind: 'recording.changed', accountId, conversationId, conferenceName, recordingId },
    state: endStates[reason] ?? 'finished',
    connectionId: row.connectionId ?? undefined,
    controlId: row.controlId ?? undefined,
    clientState: row.clientState ?? undefined,
    ...wanted,
    atMs: toMs(endSample),
    ...evidenceOf(row),
    end: {
      reason,
      digit: row.digit ?? undefined,
      startMs: toMs(startSample),
      recordedMs: toMs(row.recordedSamples),
      startedUnixMs,
      endedUnixMs: row.endedAt?.getTime() ?? startedUnixMs,
      file: lengthOf(row, wanted),
    },
  };
}

/** What became of its file at its destination. */
export function deliveryEvent(
  row: RecordingRow,
  { deliveryId, format, destination, attempts, errorCode, errorMessage }: Delivery,
  state: RecordingDelivery['state'],
  conferenceName: string,
): RecordingDelivery {
  const { accountId, conversationId, recordingId } = row;
  return {
    ...{ kind: 'recording.delivery', accountId, conversationId, conferenceName, recordingId, deliveryId },
    ...{ state, destination, attempts, format },
    connectionId: row.connectionId ?? undefined,
    controlId: row.controlId ?? undefined,
    clientState: row.clientState ?? undefined,
    dialectData: asWishes(row.wishes).dialectData,
    error: errorCode === null ? undefined : { code: errorCode, message: errorMessage ?? '' },
  };
}

/** What became of its transcript. */
export function transcriptEvent(
  row: RecordingRow,
  { locale, destination, errorCode, errorMessage }: TranscriptRow,
  state: RecordingTranscript['state'],
  conferenceName: string,
): RecordingTranscript {
  const { accountId, conversationId, recordingId } = row;
  return {
    ...{ kind: 'recording.transcript', accountId, conversationId, conferenceName, recordingId },
    ...{ state, locale, destination: destination ?? undefined },
    connectionId: row.connectionId ?? undefined,
    controlId: row.controlId ?? undefined,
    clientState: row.clientState ?? undefined,
    dialectData: asWishes(row.wishes).dialectData,
    error: errorCode === null ? undefined : { code: errorCode, message: errorMessage ?? '' },
  };
}

/** Undefined before its end, of one that never came to life, and of one from before this was kept. */
export function lengthOf(
  { fileSamples, rateHz }: Pick<RecordingRow, 'fileSamples' | 'rateHz'>,
  { format, stereo }: { format: AudioFileFormat; stereo: boolean },
): { durationSeconds: number; bytes: number } | undefined {
  if (fileSamples === null) return undefined;
  const shape = { format, rateHz: rateHz as AudioFileRateHz, channels: stereo ? 2 : 1 } as const;
  return { durationSeconds: fileSamples / rateHz, bytes: audioFileBytes(shape, fileSamples) };
}

const endStates: Readonly<Record<string, RecordingChanged['state']>> = {
  no_input: 'no_input',
  error: 'error',
  interrupted: 'error',
};

function fileOf(given: unknown): Pick<RecordingChanged, 'direction' | 'format' | 'stereo' | 'dialectData'> {
  const { format = 'wav', stereo = false, options, dialectData } = asWishes(given);
  return { direction: options?.direction ?? 'both', format, stereo, dialectData };
}

/** They were checked when the recording was started. */
function asWishes(given: unknown): RecordingWishes {
  return typeof given === 'object' && given !== null ? given : {};
}
