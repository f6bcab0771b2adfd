import type { AudioFileFormat } from '../container/audio-file.ts';
import type { ClientState } from '../database/schema.ts';
import type { JsonValue } from '../json-value.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import type { ConferenceEnd } from './conference-options.ts';
import type { RecordingEvidence } from './recording-evidence.ts';

/** What happened, in nobody's dialect. A dialect's formatter turns it into the vendor's body. */
export type NeutralEvent =
  | ConversationEnded
  | ConversationWarning
  | RecordingChanged
  | RecordingDelivery
  | RecordingTranscript
  | ConversationTranscript;

/** Something an application asked for is not done; the conversation goes on. */
export interface ConversationWarning {
  kind: 'conversation.warning';
  accountId: string;
  conversationId: string;
  conferenceName: string;
  feature: string;
  message: string;
}

export interface ConversationEnded {
  kind: 'conversation.ended';
  accountId: string;
  conversationId: string;
  conferenceName: string;
  startedUnixMs: number;
  endedUnixMs: number;
  /** Why each recording of the conversation ended; empty when none was made. */
  recordings: {
    recordingId: string;
    reason: string;
    clientState?: ClientState | undefined;
    /** Of one that is on record: its end. */
    ended?: RecordingChanged | undefined;
  }[];
  /** Not known of one that a crash ended. */
  endedBy?: ConferenceEnd | undefined;
}

/** A recording's state is another now; one event for each transition. */
export interface RecordingChanged extends RecordingEvidence {
  kind: 'recording.changed';
  accountId: string;
  conversationId: string;
  conferenceName: string;
  recordingId: string;
  state: 'recording' | 'paused' | 'finished' | 'no_input' | 'error';
  /** Of a call by itself. */
  connectionId: string | undefined;
  controlId: string | undefined;
  clientState: ClientState | undefined;
  /** What the dialect that started it keeps with it. */
  dialectData: Record<string, JsonValue> | undefined;
  /** Of a call: what of it. */
  direction: NonNullable<RecorderOptions['direction']>;
  /** What its URL gives. */
  format: AudioFileFormat;
  stereo: boolean;
  /** It records again behind a pause. */
  resumed?: boolean | undefined;
  /** Of a pause. */
  pauseBehaviour?: PauseBehaviour | undefined;
  /** Where it changed, on the clock of its room. */
  atMs: number;
  /** Of an end. */
  end?: {
    reason: string;
    digit: string | undefined;
    startMs: number;
    recordedMs: number;
    startedUnixMs: number;
    endedUnixMs: number;
    /** The file that its URL gives; undefined where nothing was recorded. */
    file: { durationSeconds: number; bytes: number } | undefined;
  };
}

/** What became of the file of a recording at its destination; comes after the end of the recording. */
export interface RecordingDelivery
  extends Pick<
    RecordingChanged,
    | 'accountId'
    | 'conversationId'
    | 'conferenceName'
    | 'recordingId'
    | 'connectionId'
    | 'controlId'
    | 'clientState'
    | 'dialectData'
    | 'format'
  > {
  kind: 'recording.delivery';
  deliveryId: string;
  /** `failing`: the first try failed, it goes on; `dead`: given up. Each is told once. */
  state: 'delivered' | 'failing' | 'dead';
  /** URL of the object, without credentials. */
  destination: string;
  /** Of which the last is the one that is told of. */
  attempts: number;
  /** Why it failed: our code, and the storage's own words. */
  error?: { code: string; message: string } | undefined;
}

/** What became of the transcript of a recording; comes after what became of its file. Told once. */
export interface RecordingTranscript
  extends Pick<
    RecordingDelivery,
    | 'accountId'
    | 'conversationId'
    | 'conferenceName'
    | 'recordingId'
    | 'connectionId'
    | 'controlId'
    | 'clientState'
    | 'dialectData'
    | 'error'
  > {
  kind: 'recording.transcript';
  /** `done`: it is made, and delivered where the recording has a destination; `dead`: there will be none. */
  state: 'done' | 'dead';
  locale: string;
  /** URL of its file, where one was delivered. */
  destination: string | undefined;
}

/** The same, told to whoever wants the conversation's events, where the recording has no status URL of its own. */
export interface ConversationTranscript
  extends Pick<
    RecordingTranscript,
    'accountId' | 'conversationId' | 'conferenceName' | 'recordingId' | 'state' | 'locale' | 'error'
  > {
  kind: 'conversation.transcript';
}

/** @returns the JSON body of the vendor's event; undefined for what is not to be told */
export type EventFormatter = (event: NeutralEvent) => Record<string, unknown> | undefined;
