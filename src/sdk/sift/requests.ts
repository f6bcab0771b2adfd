export interface Connection {
  connection_id: string;
  status: 'connecting' | 'connected' | 'failed' | 'finished';
  start_time: string;
  end_time: string | null;
  /** E.164, or `webrtc:NAME`, or a SIP URI. */
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
}

/** What `on_incoming` is asked; answer with a routine. */
export interface IncomingRequest {
  account_id: string;
  connection: Connection;
}

/** What `on_done` is asked; a routine in the answer replaces what is left of the present one. */
export interface DoneRequest {
  account_id: string;
  connection_id: string;
  /** Of `GetDigits` and `GetNumber`: what was pressed, without the terminator; empty after a time-out. */
  digits?: string;
  /** Of `GetNumber`. */
  value?: number | null;
}

/** Files of one participant, or of all mixed; the links need no header and expire. */
export interface Audio {
  wav_file: string;
  wave_file: string;
  mp3_file: string;
  duration_ms: number;
  /** In dB. */
  snr: number;
  /** In seconds. */
  rt60: number;
  /** What `snr` and `rt60` are worth: 0 where nobody spoke or it was not measured yet; absent where all is well. */
  quality_note?: 'no_speech' | 'little_speech' | 'not_measured';
}

/** One stay of one party; who leaves and comes back has two, with the same `connection_id`. */
export interface Channel {
  connection_id: string;
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
  /** From the beginning of the conversation. */
  start_ms: number;
  end_ms: number | null;
  audio: Audio;
}

/** The answer of `GET /v0/conversations/{conversation_id}`. */
export interface Conversation {
  conversation_id: string;
  account_id: string;
  /** Empty for a conversation of two. */
  conference_name: string;
  status: 'active' | 'ended';
  start_time: string;
  end_time: string | null;
  audio: Audio | null;
  mixed_audio: Audio | null;
  channels: Channel[];
}
