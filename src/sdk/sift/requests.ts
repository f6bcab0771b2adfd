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
  /** Of `GetNumber` its digits, null where there was none; of `GetName` the name, empty where there was none. */
  value?: string | null;
  /** Of both: why there is no value. */
  error?: 'timeout' | 'invalid';
  /** Of both, of Callreel: what was said, and how sure that is (0 to 1), where that is known. */
  text?: string;
  confidence?: number;
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

/** What one speaker said; positions as those of channels. */
export interface TranscriptSegment {
  connection_id: string | null;
  text: string;
  /** Seconds from the beginning of the conversation. */
  timestamp: number;
  start_ms: number;
  end_ms: number;
}

/** Of Callreel: what became of a processor. */
export interface Processor {
  name: 'transcribe';
  status: 'pending' | 'running' | 'done' | 'failed';
  /** Of the last try that failed. */
  error?: { code: string; message: string };
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
  /** Of one that is processed. */
  processors?: Processor[];
  /** Of one that is transcribed; null before that is done. */
  transcript?: TranscriptSegment[] | null;
}
