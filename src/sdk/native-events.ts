/** Whatever was given as `client_state` when a recording was started. */
export type ClientState = string | Record<string, unknown> | null;

interface OfConversation {
  account_id: string;
  conversation_id: string;
  /** Empty for a conversation of two. */
  conference: string;
}

/** A recording began, paused, went on or ended: one event for each change, the end exactly once. */
export interface RecordingChangedEvent extends OfConversation {
  type: 'recording.changed';
  recording_id: string;
  state: 'recording' | 'paused' | 'finished' | 'no_input' | 'error';
  /** Of a call that is recorded by itself. */
  connection_id: string | null;
  control_id: string | null;
  client_state: ClientState;
  /** Since the call was first recorded, or since the conference began. */
  at_ms: number;
  /** Of an end, as the three below: why it ended. */
  reason?: string;
  /** The key that ended it. */
  digit?: string | null;
  start_ms?: number;
  recorded_ms?: number;
}

/** What became of the file of a recording at its destination; comes after the end of the recording. */
export interface RecordingDeliveryEvent extends OfConversation {
  type: 'recording.delivery';
  recording_id: string;
  delivery_id: string;
  /** `failing`: the first try failed, it goes on; `dead`: given up. Each is told once. */
  state: 'delivered' | 'failing' | 'dead';
  connection_id: string | null;
  control_id: string | null;
  client_state: ClientState;
  /** URL of the object, without credentials. */
  destination: string;
  attempts: number;
  /** Why it failed, with the storage's own words. */
  error: { code: string; message: string } | null;
}

/** What became of the transcript of a recording; comes after what became of its file. */
export interface RecordingTranscriptEvent extends OfConversation {
  type: 'recording.transcript';
  recording_id: string;
  /** `done`: it is made, and delivered where the recording has a destination; `dead`: there will be none. */
  state: 'done' | 'dead';
  connection_id: string | null;
  control_id: string | null;
  client_state: ClientState;
  /** In which it was wanted. */
  locale: string;
  /** URL of its file, where one was delivered. */
  destination: string | null;
  /** Why there will be none. */
  error: { code: string; message: string } | null;
}

/** The last party has left and every file is whole. */
export interface ConversationEndedEvent extends OfConversation {
  type: 'conversation.ended';
  start_time: string;
  end_time: string;
  recordings: { recording_id: string; reason: string; client_state: ClientState }[];
}

/** Something that was asked for is not done; the conversation goes on. */
export interface ConversationWarningEvent extends OfConversation {
  type: 'conversation.warning';
  feature: string;
  message: string;
}

/** Events of what the native API (`/v1`) began. */
export type NativeEvent =
  | RecordingChangedEvent
  | RecordingDeliveryEvent
  | RecordingTranscriptEvent
  | ConversationEndedEvent
  | ConversationWarningEvent;
