import type { LegReport } from '../media/control.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { MeasuredRecording } from '../worker/quality-protocol.ts';
import type { ConferenceEnd } from './conference.ts';
import type { ConversationEnded, RecordingChanged } from './neutral-events.ts';
import { clientStateOf } from './recording-header.ts';

/** Everything a conversation's terminal transaction writes. */
export interface EndedConversation {
  accountId: string;
  conversationId: string;
  conferenceName: string;
  dialect: string;
  startedUnixMs: number;
  endedUnixMs: number;
  eventCallbacks: string[];
  recordings: RecordingSummary[];
  /** Figures of those whose ends are written with this one, by their ids. */
  measured?: ReadonlyMap<string, MeasuredRecording>;
  /** Recordings that never came to life. */
  failedRecordings: string[];
  /** Not known of one that a crash ended. */
  endedBy?: ConferenceEnd | undefined;
  /** The media worker's figures by track; those a crash lost are not there. */
  stayReports?: ReadonlyMap<string, LegReport>;
}

/** @param ends of its recordings, as they are on record */
export function conversationEndedEvent(
  {
    accountId,
    conversationId,
    conferenceName,
    startedUnixMs,
    endedUnixMs,
    recordings,
    endedBy,
  }: EndedConversation,
  ends: ReadonlyMap<string, RecordingChanged | undefined>,
): ConversationEnded {
  return {
    ...{ kind: 'conversation.ended', accountId, conversationId, conferenceName, startedUnixMs, endedUnixMs },
    recordings: recordings.map(({ recordingId, reason, meta }) => ({
      recordingId,
      reason: ends.get(recordingId)?.end?.reason ?? reason,
      clientState: clientStateOf(meta),
      ended: ends.get(recordingId),
    })),
    endedBy,
  };
}
