import type { Recording as RecordingRow } from '../database/schema.ts';
import type { NoticeReport } from '../media/consent-control.ts';
import type { NoticeOutcome } from '../spool/records.ts';
import type { GivenConsent } from './recording.ts';

/** Positions are in ms since the call was first recorded, or since the conference began. */
export interface ConsentOnRecord {
  method: string;
  who: string;
  /** ISO 8601. */
  at: string;
  /** Whose it is. */
  connectionIds: string[];
  audioOffsetMs: number | undefined;
  /** What they had heard of the notice. */
  noticeMs: number | undefined;
  clips: { clipId: string; connectionId: string; startMs: number; durationMs: number }[];
}

export interface NoticeOnRecord {
  connectionId: string;
  atMs: number;
  playedMs: number;
  lengthMs: number;
  outcome: NoticeOutcome;
  reason: string | undefined;
}

export interface RecordingEvidence {
  consents: ConsentOnRecord[];
  notices: NoticeOnRecord[];
}

/** Who heard what of a recording's notice, and who consented. */
export function recordingEvidence(
  consents: readonly GivenConsent[],
  notices: readonly NoticeReport[],
  rateHz: number,
): RecordingEvidence {
  const toMs = (samples: number) => Math.round((samples * 1000) / rateHz);
  return {
    consents: consents.map(({ method, who, at, connectionId, audioOffsetMs, noticeMs, effect }) => ({
      ...{ method, who, at },
      connectionIds: effect?.connectionIds ?? (connectionId === undefined ? [] : [connectionId]),
      audioOffsetMs: audioOffsetMs ?? (effect && toMs(effect.atSample)),
      noticeMs: effect?.noticeMs ?? noticeMs,
      clips: (effect?.clips ?? []).map(({ clipId, connectionId: speaker, startSample, endSample }) => ({
        ...{ clipId, connectionId: speaker },
        ...{ startMs: toMs(startSample), durationMs: toMs(endSample - startSample) },
      })),
    })),
    notices: notices.map(({ atSample, reason, connectionId, playedMs, lengthMs, outcome }) => ({
      ...{ connectionId, atMs: toMs(atSample), playedMs, lengthMs, outcome, reason },
    })),
  };
}

/** As the directory has it; of what was erased there is no clip. */
export function evidenceOf({ consent, notices, rateHz, erasedAt }: RecordingRow): RecordingEvidence {
  const given = (consent ?? []) as GivenConsent[];
  const evidence = recordingEvidence(given, (notices ?? []) as NoticeReport[], rateHz);
  if (erasedAt) for (const each of evidence.consents) each.clips = [];
  return evidence;
}
