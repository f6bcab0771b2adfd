import type { EventFormatter } from '../../call/neutral-events.ts';

/** The Conversation Ended Event: `type` in the recording guide, `event_type` in the realtime guide; both are sent. */
export const formatSiftEvent: EventFormatter = (event) => ({
  type: 'ended',
  event_type: 'ended',
  account_id: event.accountId,
  conversation_id: event.conversationId,
  conference_name: event.conferenceName,
  start_time: new Date(event.startedUnixMs).toISOString(),
  end_time: new Date(event.endedUnixMs).toISOString(),
});
