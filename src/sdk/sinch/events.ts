import type { CallHeader } from './options.ts';

export interface Destination {
  type: 'did' | 'number' | 'username' | 'sip';
  endpoint: string;
}

export interface Price {
  currencyId: string;
  amount: number;
}

interface OfCall {
  callid: string;
  timestamp: string;
  version: number;
  custom: string;
  applicationKey: string;
  /** What was set by `setCookie`. */
  cookies?: Record<string, string>;
}

/** Somebody calls. Answer with SVAML. */
export interface IncomingCallEvent extends OfCall {
  event: 'ice';
  callResourceUrl: string;
  userRate: Price;
  cli: string;
  to: Destination;
  domain: 'pstn' | 'mxp';
  originationType: 'pstn' | 'mxp';
  duration: number;
  rdnis: string;
  callHeaders?: CallHeader[];
}

/** The called party answered. Answer with SVAML. */
export interface AnsweredCallEvent extends OfCall {
  event: 'ace';
}

export interface MenuResult {
  menuId: string;
  type: 'return' | 'sequence' | 'timeout' | 'hangup' | 'invalidinput' | 'error';
  value?: string;
  inputMethod?: 'dtmf' | 'voice';
}

/** A party answered a menu. Answer with SVAML. */
export interface PromptInputEvent extends OfCall {
  event: 'pie';
  menuResult: MenuResult;
}

/** The call is over. */
export interface DisconnectedCallEvent extends OfCall {
  event: 'dice';
  reason: string;
  result: 'N/A' | 'ANSWERED' | 'BUSY' | 'NOANSWER' | 'FAILED';
  debit: Price;
  userRate: Price;
  to: Destination;
  from: string;
  /** In seconds, from the answer. */
  duration: number;
  callHeaders?: CallHeader[];
}

/** Of a call, or of a conference: one of the two is there. */
interface OfRecording {
  event: 'notify';
  version: number;
  callid?: string;
  conferenceId?: string;
}

export interface RecordingFinishedEvent extends OfRecording {
  type: 'recording_finished';
}

/** The file is where `destination` says, whole. */
export interface RecordingAvailableEvent extends OfRecording {
  type: 'recording_available' | 'transcription_available';
  destination: string;
}

/** Callreel's own, where it is switched on. */
export interface RecordingFailedEvent extends OfRecording {
  type: 'recording_failed';
  errorMsg: string;
  destination?: string;
}

/** Something that was asked for could not be done. */
export interface CallingErrorEvent extends OfRecording {
  type: 'callingerror';
  errorCode: number;
  errorMsg: string;
  custom?: string;
}

export type NotifyEvent =
  | RecordingFinishedEvent
  | RecordingAvailableEvent
  | RecordingFailedEvent
  | CallingErrorEvent;

export type SinchEvent =
  | IncomingCallEvent
  | AnsweredCallEvent
  | PromptInputEvent
  | DisconnectedCallEvent
  | NotifyEvent;
