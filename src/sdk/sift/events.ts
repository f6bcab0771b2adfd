interface OfConversation {
  account_id: string;
  conversation_id: string;
  /** Absent for a conversation of two. */
  conference_name?: string;
}

/** The conversation is over and every URL in it answers with the whole file. */
export interface ConversationEndedEvent extends OfConversation {
  type: 'ended';
  event_type: 'ended';
  start_time: string;
  end_time: string;
}

/** Something that a command asked for is not available; the conversation goes on. */
export interface ConversationWarningEvent extends OfConversation {
  type: 'warning';
  event_type: 'warning';
  feature: string;
  message: string;
}

/** A processor is done with the conversation, or gave it up. */
export interface ConversationProcessedEvent extends OfConversation {
  type: 'processed';
  event_type: 'processed';
  processor: 'transcribe';
  status: 'done' | 'failed';
  error?: { code: string; message: string };
}

/** What an `event_callback` gets. */
export type SiftEvent = ConversationEndedEvent | ConversationWarningEvent | ConversationProcessedEvent;
