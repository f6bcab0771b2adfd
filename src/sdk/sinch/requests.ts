import type { SvamlDocument } from './document.ts';
import type { Recorded, RecordingOptions } from './options.ts';

/** Whom a callout calls. */
export interface CalloutDestination {
  type: 'number' | 'sip' | 'username';
  endpoint: string;
}

interface Called {
  /** The application's own number, unless given. */
  cli?: string;
  /** Pressed to the called party when it answers. */
  dtmf?: string;
  /** Told with every callback of the call; 1024 bytes at most. */
  custom?: string;
  domain?: 'pstn' | 'mxp';
  /** Seconds, 14400 at most. */
  maxDuration?: number;
  enableAce?: boolean;
  enableDice?: boolean;
  enablePie?: boolean;
}

export interface TtsCallout extends Called {
  destination: CalloutDestination;
  text?: string;
  /** `#tts[Hello]`, `#href[URL]`; several divided by `;`. */
  prompts?: string;
  locale?: string;
}

export interface ConferenceCallout extends Called, Recorded {
  destination: CalloutDestination;
  /** 64 characters at most. */
  conferenceId: string;
  greeting?: string;
  locale?: string;
  mohClass?: 'ring' | 'music1' | 'music2' | 'music3';
  conferenceDtmfOptions?: {
    mode?: 'ignore' | 'forward' | 'detect';
    maxDigits?: number;
    timeoutMills?: number;
  };
}

/** `ice`, `ace` and `pie`: a URL, or SVAML as a text (`JSON.stringify(svaml()...)`). */
export interface CustomCallout extends Called {
  /** Unless ICE says it. */
  destination?: CalloutDestination;
  ice?: string;
  ace?: string;
  pie?: string;
  /** A URL. */
  dice?: string;
}

/** `POST /calling/v1/callouts` */
export type CalloutRequest =
  | { method: 'ttsCallout'; ttsCallout: TtsCallout }
  | { method: 'conferenceCallout'; conferenceCallout: ConferenceCallout }
  | { method: 'customCallout'; customCallout: CustomCallout };

/** `PATCH /calling/v1/calls/id/{callId}`, and `.../leg/{caller|callee|both}` */
export type ManageCallRequest = SvamlDocument;

/** `PATCH /calling/v1/conferences/id/{conferenceId}/{callId}` */
export interface ParticipantCommand {
  command: 'mute' | 'unmute' | 'onhold' | 'resume';
  moh?: 'ring' | 'music1' | 'music2' | 'music3';
}

/** `PATCH /calling/v1/conferences/id/{conferenceId}`; Callreel's own. */
export type ConferenceCommand =
  | { command: 'startRecording'; recordingOptions: RecordingOptions }
  | { command: 'stopRecording' };

/** `GET /calling/v1/calls/id/{callId}` */
export interface CallInformation {
  from: { type: string; endpoint: string };
  to: { type: string; endpoint: string };
  domain: 'pstn' | 'mxp';
  callId: string;
  /** In seconds, from the answer. */
  duration: number;
  status: 'ONGOING' | 'FINAL';
  result: 'N/A' | 'ANSWERED' | 'BUSY' | 'NOANSWER' | 'FAILED';
  reason: string;
  timestamp: string;
  custom: string;
}

/** Of `GET /calling/v1/recording`, a list of these. */
export interface StoredRecording {
  key: string;
  /** A link that needs no header, for a week. */
  url: string;
  createdOn: string;
  expiresOn: string | null;
  headers: Record<string, string>;
}

/** What is answered to a request that is refused. */
export interface SinchErrorBody {
  errorCode: 40001 | 40002 | 40003 | 40108 | 40301 | 40400 | 50000;
  message: string;
  reference: string;
}
