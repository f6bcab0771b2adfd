import type { EventFormatter } from '../../call/neutral-events.ts';
import { assertNever } from '../../errors.ts';

/**
 * The Conversation Ended Event, and ours for what is not available and for what became of a processor. `type` is the recording guide's name of the field,
 * `event_type` the realtime guide's; both are sent.
 */
export const formatSiftEvent: EventFormatter = (event) => {
  const shared = {
    account_id: event.accountId,
    conversation_id: event.conversationId,
    ...(event.conferenceName === '' ? {} : { conference_name: event.conferenceName }),
  };
  switch (event.kind) {
    case 'conversation.ended':
      return {
        type: 'ended',
        event_type: 'ended',
        ...shared,
        start_time: new Date(event.startedUnixMs).toISOString(),
        end_time: new Date(event.endedUnixMs).toISOString(),
      };
    case 'recording.changed':
    case 'recording.delivery':
    case 'recording.transcript':
      // Sift has no such events, and starts no recording with a URL that they could go to.
      return undefined;
    case 'conversation.transcript':
      return {
        type: 'processed',
        event_type: 'processed',
        ...shared,
        processor: 'transcribe',
        status: event.state === 'done' ? 'done' : 'failed',
        ...(event.error && event.state !== 'done' && { error: event.error }),
      };
    case 'conversation.warning':
      return {
        type: 'warning',
        event_type: 'warning',
        ...shared,
        feature: event.feature,
        message: event.message,
      };
    default:
      return assertNever(event, 'event');
  }
};
