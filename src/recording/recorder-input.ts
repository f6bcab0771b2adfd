import type { NoticeReport } from '../media/consent-control.ts';
import type { RecordingKeyMaterial } from '../media/control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import type { ManifestHeader } from '../spool/records.ts';
import type { PartyNoticesOptions } from './party-notices.ts';

/** What a recorder is made of. */
export interface RecorderInput {
  recordingId: string;
  roomId: string;
  accountId: string;
  rateHz: number;
  key: RecordingKeyMaterial;
  meta: Record<string, unknown>;
  options: RecorderOptions;
  /** Monotonic microseconds and Unix milliseconds of position 0. */
  originUs: number;
  originUnixMs: number;
  spool: SpoolProducer;
  /** Told of every change but the end, with its exact position. */
  changed(change: RecorderChange, atSample: number): void;
  /** A party heard the notice, or as much of it as it did. */
  noticed?(notice: NoticeReport): void;
  /** Plays the notice; undefined: there is none. */
  legs?: PartyNoticesOptions['legs'] | undefined;
  newSegmentId?: () => string;
}

export type RecorderChange = 'began' | 'paused' | 'resumed';

/** The first line of a recording's manifest: everything that a crash must not take with it. */
export function manifestHeader(
  { recordingId, roomId, accountId, rateHz, key, meta, originUnixMs, options }: RecorderInput,
  startSample: number,
  waitsFor: 'beep' | 'consent' | undefined,
): ManifestHeader {
  const { direction = 'both' } = options;
  return {
    type: 'header',
    version: 1,
    recordingId,
    conversationId: roomId,
    accountId,
    rateHz,
    originUnixMs,
    startSample,
    sealedKey: key.sealed,
    ...(waitsFor && { waitsFor }),
    ...(direction !== 'both' && { direction }),
    meta,
  };
}
