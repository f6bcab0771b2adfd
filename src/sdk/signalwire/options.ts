import type { BooleanOrVariable, NumberOrVariable, Sound } from './values.ts';

/** One step of a section: the name of a method and what it is given, as the vendor writes it. */
export interface Step {
  readonly [method: string]: unknown;
}

/** Steps that stand inside another one: a list, or what `steps()` collected. */
export type StepList = readonly Step[] | { toJSON(): Step[] };

/** What runs where a condition, a JavaScript expression, holds; the last entry may be without one. */
export type Condition = { when: string; then: StepList; else?: StepList | undefined } | { else: StepList };

export interface Switch {
  /** Its name, without `${}`. */
  variable: string;
  case: Readonly<Record<string, StepList>>;
  default?: StepList | undefined;
}

/** What runs when a connection, conference or section is over: by its `return_value`, or by conditions. */
export type ResultSteps =
  | (Omit<Switch, 'variable'> & { variable?: string | undefined })
  | readonly Condition[];

export interface AnswerOptions {
  /** In seconds. */
  maxDuration?: NumberOrVariable | undefined;
  /** With commas between them. */
  codecs?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}

export interface HangupOptions {
  reason?: 'hangup' | 'busy' | 'decline' | undefined;
}

interface Speech {
  /** -40 to 40 dB. */
  volume?: NumberOrVariable | undefined;
  sayVoice?: string | undefined;
  sayLanguage?: string | undefined;
  sayGender?: string | undefined;
  statusUrl?: string | undefined;
}

interface Playing extends Speech {
  /** False plays before the call is answered. */
  autoAnswer?: BooleanOrVariable | undefined;
}

export type PlayOptions = Playing &
  ({ url: Sound; urls?: undefined } | { urls: readonly Sound[]; url?: undefined });

export interface PromptOptions extends Omit<Speech, 'volume'> {
  play: Sound | readonly Sound[];
  volume?: number | undefined;
  maxDigits?: NumberOrVariable | undefined;
  terminators?: string | undefined;
  /** In seconds, as all that follow. */
  digitTimeout?: NumberOrVariable | undefined;
  initialTimeout?: NumberOrVariable | undefined;
  speechTimeout?: NumberOrVariable | undefined;
  speechEndTimeout?: NumberOrVariable | undefined;
  speechLanguage?: string | undefined;
  speechHints?: readonly string[] | undefined;
  speechEngine?: string | undefined;
}

interface Recording {
  /** Left what the party says, right what it hears. */
  stereo?: BooleanOrVariable | undefined;
  format?: 'wav' | 'mp3' | 'mp4' | undefined;
  /** Keys of 0-9 * # A-D that end it. */
  terminators?: string | undefined;
  /** To the party, before it begins. */
  beep?: BooleanOrVariable | undefined;
  /** 0 to 100; more takes softer sounds for speech. */
  inputSensitivity?: NumberOrVariable | undefined;
  /** Seconds in which somebody must begin to speak; 0 for ever. */
  initialTimeout?: NumberOrVariable | undefined;
  /** Seconds of silence behind the last word that end it; 0 for never. */
  endSilenceTimeout?: NumberOrVariable | undefined;
  /** In seconds. */
  maxLength?: NumberOrVariable | undefined;
  /** http or https; gets `calling.call.record` events. */
  statusUrl?: string | undefined;
}

export interface RecordOptions extends Recording {
  /** What the party says, or what it hears. */
  direction?: 'speak' | 'listen' | undefined;
}

export interface RecordCallOptions extends Recording {
  /** A name of your own, for `stopRecordCall`. */
  controlId?: string | undefined;
  /** What the party says, what it hears, or both. */
  direction?: 'speak' | 'listen' | 'both' | undefined;
}

export interface StopRecordCallOptions {
  /** Unset: the recording that was started last. */
  controlId?: string | undefined;
}

export type CallState = 'created' | 'ringing' | 'answered' | 'ended';

/** Of one destination, or of all of them. */
interface Dialling {
  from?: string | undefined;
  /** Of the INVITE to a SIP URI. */
  headers?: readonly { name: string; value: string }[] | undefined;
  codecs?: string | undefined;
  webrtcMedia?: BooleanOrVariable | undefined;
  sessionTimeout?: NumberOrVariable | undefined;
  /** Seconds for the answer. */
  timeout?: NumberOrVariable | undefined;
  username?: string | undefined;
  password?: string | undefined;
  encryption?: 'mandatory' | 'optional' | 'forbidden' | undefined;
  callStateUrl?: string | undefined;
  callStateEvents?: readonly CallState[] | undefined;
}

/** A phone number, SIP URI or registered user (`/private/NAME`), and how it is called. */
export interface Device extends Dialling {
  to: string;
}

type Destinations =
  | { to: string; serial?: undefined; parallel?: undefined; serialParallel?: undefined }
  | { serial: readonly Device[]; to?: undefined; parallel?: undefined; serialParallel?: undefined }
  | { parallel: readonly Device[]; to?: undefined; serial?: undefined; serialParallel?: undefined }
  | {
      serialParallel: readonly (readonly Device[])[];
      to?: undefined;
      serial?: undefined;
      parallel?: undefined;
    };

export type ConnectOptions = Dialling &
  Destinations & {
    ringback?: readonly string[] | PlayOptions | undefined;
    /** In seconds. */
    maxDuration?: NumberOrVariable | undefined;
    /** The caller is answered only when the called party answers. */
    answerOnBridge?: BooleanOrVariable | undefined;
    result?: ResultSteps | undefined;
  };

export interface JoinConferenceOptions {
  name: string;
  muted?: BooleanOrVariable | undefined;
  beep?: 'true' | 'false' | 'onEnter' | 'onExit' | undefined;
  startOnEnter?: BooleanOrVariable | undefined;
  endOnExit?: BooleanOrVariable | undefined;
  waitUrl?: string | undefined;
  maxParticipants?: NumberOrVariable | undefined;
  record?: 'do-not-record' | 'record-from-start' | undefined;
  region?: string | undefined;
  trim?: 'trim-silence' | 'do-not-trim' | undefined;
  statusCallback?: string | undefined;
  statusCallbackMethod?: 'GET' | 'POST' | undefined;
  statusCallbackEvent?:
    | 'start'
    | 'end'
    | 'join'
    | 'leave'
    | 'mute'
    | 'hold'
    | 'modify'
    | 'speaker'
    | 'announcement'
    | undefined;
  recordingStatusCallback?: string | undefined;
  recordingStatusCallbackMethod?: 'GET' | 'POST' | undefined;
  recordingStatusCallbackEvent?: 'in-progress' | 'completed' | 'absent' | undefined;
  result?: ResultSteps | undefined;
}

export interface RequestOptions {
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers?: Readonly<Record<string, string>> | undefined;
  body?: string | Readonly<Record<string, unknown>> | undefined;
  /** In seconds. */
  timeout?: NumberOrVariable | undefined;
  connectTimeout?: NumberOrVariable | undefined;
  /** The answer's JSON becomes `request_response`. */
  saveVariables?: BooleanOrVariable | undefined;
}

export interface GotoOptions {
  label: string;
  /** A JavaScript expression. */
  when?: string | undefined;
  /** 1 to 100. */
  max?: NumberOrVariable | undefined;
}

export interface TransferOptions {
  /** A section of this document, a URL, or a document as JSON. */
  dest: string;
  params?: Readonly<Record<string, unknown>> | undefined;
  meta?: Readonly<Record<string, unknown>> | undefined;
}

export interface ExecuteOptions extends TransferOptions {
  onReturn?: StepList | undefined;
  result?: ResultSteps | undefined;
}
