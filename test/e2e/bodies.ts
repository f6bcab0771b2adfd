/** What goes over the wire, as the author of an application would write it down. */

/** One command of a routine. */
export interface Command {
  name: string;
  conference_name?: string;
  do_record?: boolean;
  event_callback?: string;
  leave_key?: string;
  live_transcripts?: boolean;
  live_topics?: boolean;
  live_talk_time?: boolean;
  live_transcription?: boolean;
  processors?: readonly string[];
  on_event?: string;
  text?: string;
  count?: number;
  on_done?: string;
  prompt_text?: string;
  timeout_seconds?: number;
  phone_number?: string;
  client_name?: string;
}

export interface IncomingBody {
  account_id: string;
  connection: { connection_id: string; from: string; to: string; direction: string };
}

export interface EndedEvent {
  type: string;
  event_type: string;
  account_id: string;
  conversation_id: string;
  conference_name: string;
}

export interface AudioBody {
  wav_file: string;
  wave_file: string;
  mp3_file: string;
  duration_ms: number;
  snr: number;
  rt60: number;
  quality_note?: string;
}

export interface ChannelBody {
  connection_id: string;
  from: string;
  to: string;
  direction: string;
  start_ms: number;
  end_ms: number | null;
  audio: AudioBody;
}

export interface ConversationBody {
  conversation_id: string;
  status: 'active' | 'ended';
  start_time: string;
  end_time: string | null;
  audio: AudioBody | null;
  mixed_audio: AudioBody | null;
  channels: ChannelBody[];
}

export interface ParticipantBody {
  connection_id: string;
  channel_id: string;
}

export interface ConferenceBody {
  name: string;
  conversation_id: string;
  recording: boolean;
  participants: ParticipantBody[];
}
