import type { EventFormatter, RecordingTranscript } from '../call/neutral-events.ts';
import { assertNever } from '../errors.ts';
import { toEvidenceBody } from './consent-body.ts';

/** Events of conversations that the native API began. */
export const formatNativeEvent: EventFormatter = (event) => {
  const shared = {
    type: event.kind,
    account_id: event.accountId,
    conversation_id: event.conversationId,
    conference: event.conferenceName,
  };
  switch (event.kind) {
    case 'conversation.ended':
      return {
        ...shared,
        start_time: new Date(event.startedUnixMs).toISOString(),
        end_time: new Date(event.endedUnixMs).toISOString(),
        recordings: event.recordings.map(({ recordingId, reason, clientState }) => ({
          recording_id: recordingId,
          reason,
          client_state: clientState ?? null,
        })),
      };
    case 'conversation.warning':
      return { ...shared, feature: event.feature, message: event.message };
    case 'recording.changed':
      return {
        ...shared,
        ...ofRecording(event),
        state: event.state,
        at_ms: event.atMs,
        ...toEvidenceBody(event),
        ...(event.end && {
          reason: event.end.reason,
          digit: event.end.digit ?? null,
          start_ms: event.end.startMs,
          recorded_ms: event.end.recordedMs,
        }),
      };
    case 'recording.delivery':
      return {
        ...shared,
        ...ofRecording(event),
        delivery_id: event.deliveryId,
        state: event.state,
        destination: event.destination,
        attempts: event.attempts,
        error: event.error ?? null,
      };
    case 'recording.transcript':
      return {
        ...shared,
        ...ofRecording(event),
        state: event.state,
        locale: event.locale,
        destination: event.destination ?? null,
        error: event.error ?? null,
      };
    case 'conversation.transcript':
      // Told of the recording, where somebody wants to know.
      return undefined;
    default:
      return assertNever(event, 'event');
  }
};

/** Which recording, and what it was started with. */
function ofRecording({
  recordingId,
  connectionId,
  controlId,
  clientState,
}: Pick<RecordingTranscript, 'recordingId' | 'connectionId' | 'controlId' | 'clientState'>) {
  return {
    recording_id: recordingId,
    connection_id: connectionId ?? null,
    control_id: controlId ?? null,
    client_state: clientState ?? null,
  };
}
