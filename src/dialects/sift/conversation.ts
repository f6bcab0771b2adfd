import type { TranscriptState } from '../../database/transcript-table.ts';
import type { QualityFigures } from '../../quality/quality-meter.ts';
import type { Transcript } from '../../transcription/transcript.ts';
import { transcriptLines } from '../../transcription/transcript-lines.ts';

/** A finished or running recording's audio, as rows tell it. */
export interface ConversationAudio {
  durationMs: number;
  wavUrl: string;
  mp3Url: string;
  /** Null while it is not measured. */
  quality: QualityFigures | null;
}

export interface ConversationChannel {
  connectionId: string;
  from: string;
  to: string;
  direction: string;
  /** Milliseconds from the conversation's start. */
  startMs: number;
  /** Undefined while the party is still there. */
  endMs: number | undefined;
  audio: ConversationAudio;
}

/** What became of the processor `transcribe`. */
export interface ConversationTranscript {
  state: TranscriptState;
  error: { code: string; message: string } | undefined;
  /** Undefined before it is made. */
  transcript: Transcript | undefined;
  /** Where the recording begins, in milliseconds from the conversation's start. */
  startMs: number;
  /** Whose audio a channel of the transcript is; undefined of one that is not known. */
  connectionOf(channelId: string): string | undefined;
}

export interface ConversationView {
  conversationId: string;
  accountId: string;
  conferenceName: string;
  status: 'active' | 'ended';
  startedUnixMs: number;
  endedUnixMs: number | undefined;
  /** Undefined when nothing was recorded. */
  audio: ConversationAudio | undefined;
  channels: ConversationChannel[];
  /** Undefined where nobody asked for it. */
  transcript: ConversationTranscript | undefined;
}

/**
 * The guide's code compares `snr` and `rt60` without a null check (docs/dialects/sift.md, G32), so both are numbers always;
 * `quality_note` says what they are worth.
 */
function qualityBody(quality: QualityFigures | null): Record<string, unknown> {
  const note = quality ? quality.note : 'not_measured';
  return {
    snr: rounded(quality?.snrDb),
    rt60: rounded(quality?.rt60Seconds),
    ...(note && { quality_note: note }),
  };
}

function rounded(figure: number | null | undefined): number {
  return Math.round((figure ?? 0) * 100) / 100;
}

function audioBody(audio: ConversationAudio): Record<string, unknown> {
  return {
    wav_file: audio.wavUrl,
    wave_file: audio.wavUrl,
    mp3_file: audio.mp3Url,
    duration_ms: audio.durationMs,
    ...qualityBody(audio.quality),
  };
}

function isoTime(unixMs: number | undefined): string | null {
  return unixMs === undefined ? null : new Date(unixMs).toISOString();
}

/** Sift's Conversation object, with both of the names its documents use (docs/dialects/sift.md, X17). */
export function conversationBody(view: ConversationView): Record<string, unknown> {
  const audio = view.audio ? audioBody(view.audio) : null;
  return {
    conversation_id: view.conversationId,
    account_id: view.accountId,
    conference_name: view.conferenceName,
    status: view.status,
    start_time: isoTime(view.startedUnixMs),
    end_time: isoTime(view.endedUnixMs),
    audio,
    mixed_audio: audio,
    channels: view.channels.map((channel) => ({
      connection_id: channel.connectionId,
      from: channel.from,
      to: channel.to,
      direction: channel.direction,
      start_ms: channel.startMs,
      end_ms: channel.endMs ?? null,
      audio: audioBody(channel.audio),
    })),
    ...(view.transcript && transcriptBody(view.transcript)),
  };
}

const processorStatuses: Readonly<Record<TranscriptState, string>> = {
  waiting: 'pending',
  running: 'running',
  failing: 'pending',
  done: 'done',
  dead: 'failed',
  abandoned: 'failed',
};

/** The output of a processor is a field of the conversation; what is said of the processor itself is ours. */
function transcriptBody(view: ConversationTranscript): Record<string, unknown> {
  const { state, error, transcript } = view;
  const isTold = error && state !== 'done';
  const status = transcript ? 'done' : processorStatuses[state];
  return {
    processors: [{ name: 'transcribe', status, ...(isTold && !transcript && { error }) }],
    transcript: transcript ? segmentsOf(transcript, view) : null,
  };
}

/** On the axis of the conversation's mix, as channels are. */
function segmentsOf(transcript: Transcript, { startMs, connectionOf }: ConversationTranscript): object[] {
  const { channels, rateHz } = transcript;
  const atMs = (sample: number) => startMs + Math.round((sample * 1000) / rateHz);
  return transcriptLines(transcript).map(({ channel, fromSample, toSample, text }) => ({
    connection_id: connectionOf(channels[channel]!.id) ?? null,
    text,
    timestamp: atMs(fromSample) / 1000,
    start_ms: atMs(fromSample),
    end_ms: atMs(toSample),
  }));
}
