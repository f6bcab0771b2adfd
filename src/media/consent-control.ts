import type { ManifestNotice } from '../spool/records.ts';

/** Parties consent: what was started with `consent: required` may begin, and they may be in it. */
export interface RecordingConsent {
  verb: 'recording.consent';
  recordingId: string;
  /** Who says so, and how; told in the manifest and in `recording.consented`. */
  given?: { consentId: string; method: string; who: string };
  /** Without it: everybody who is there now. */
  connectionId?: string;
}

/** The longest notice: two minutes at 8000 Hz. */
export const maxNoticeSamples = 2 * 60 * 8000;

/**
 * What each party hears when it comes into the recording, now or later. Answered at once; `recording.noticed` follows
 * for each of them.
 */
export interface RecordingNotice {
  verb: 'recording.notice';
  recordingId: string;
  /** Mono, 16 bit, or the code of the error for which there is none. */
  audio: { samples: Int16Array; rateHz: 8000 | 16_000 | 48_000 } | { failure: string };
}

/** As the manifest has it. */
export type NoticeReport = Omit<ManifestNotice, 'type'>;

export interface ConsentReport {
  consentId: string;
  atSample: number;
  connectionIds: string[];
  /** What they heard of the notice, by then: of several the least. Undefined where there is no notice. */
  noticeMs?: number;
  clips: { clipId: string; connectionId: string; startSample: number; endSample: number }[];
}
