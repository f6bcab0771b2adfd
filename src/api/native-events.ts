import type { EventFormatter } from '../call/neutral-events.ts';
import { assertNever } from '../errors.ts';

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
    default:
      return assertNever(event, 'event');
  }
};
