import { snakeCased } from '../snake-case.ts';

/** One command of a routine, as Sift reads it. */
export interface Command {
  readonly name: CommandName;
  readonly [parameter: string]: unknown;
}

export type CommandName =
  | 'Say'
  | 'Play'
  | 'GetDigits'
  | 'GetNumber'
  | 'GetName'
  | 'JoinConference'
  | 'CallPhone'
  | 'CallClient'
  | 'HangUp';

export type Key =
  | '0'
  | '1'
  | '2'
  | '3'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '*'
  | '#'
  | 'A'
  | 'B'
  | 'C'
  | 'D';

interface Done {
  /** An http or https URL that is asked what comes next when the command has ended. */
  onDone?: string | undefined;
}

export interface SayOptions extends Done {
  /** Up to 5,000 characters. */
  text: string;
  voice?: string | undefined;
}

export interface PlayOptions extends Done {
  /** http or https; WAV or MP3. */
  soundUrl: string;
}

interface Gathering extends Done {
  /** From the end of the prompt, and from key to key; 0 to 600. */
  timeoutSeconds?: number | undefined;
  promptUrl?: string | undefined;
  promptText?: string | undefined;
}

export interface GetDigitsOptions extends Gathering {
  /** 1 to 64. */
  count?: number | undefined;
  /** Keys that end the input before; an empty text for none. */
  terminator?: string | undefined;
}

export type GetNumberOptions = Gathering;
export type GetNameOptions = Gathering;

/** What the three commands share that begin a conversation. */
export interface ConversationOptions {
  /** True records everybody in the room; false keeps this party out of every recording; unset follows the room. */
  doRecord?: boolean | undefined;
  /** Gets the signed events of the conversation. */
  eventCallback?: string | undefined;
  liveTalkTimes?: boolean | undefined;
  liveTranscripts?: boolean | undefined;
  liveTopics?: boolean | undefined;
  /** Ignored unless `doRecord`. */
  processors?: readonly (string | object)[] | undefined;
}

export interface JoinConferenceOptions extends ConversationOptions {
  /** The room, up to 200 characters; the first who joins makes it. */
  conferenceName: string;
  /** Of Callreel: leaves the conference without ending the call; the routine goes on. */
  leaveKey?: Key | undefined;
  liveEmotion?: boolean | undefined;
  liveScan?: readonly { key: string; query: string }[] | undefined;
}

export interface CallPhoneOptions extends ConversationOptions {
  /** E.164, or a SIP URI. */
  phoneNumber: string;
}

export interface CallClientOptions extends ConversationOptions {
  /** A registered user. Recorded unless `doRecord` is false. */
  clientName: string;
}

function command(name: CommandName, options?: object): Command {
  return { name, ...snakeCased(options) };
}

/** Speaks a text. */
export function say(options: SayOptions | string): Command {
  return command('Say', typeof options === 'string' ? { text: options } : options);
}

/** Plays a file to this party alone. */
export function play(options: PlayOptions | string): Command {
  return command('Play', typeof options === 'string' ? { soundUrl: options } : options);
}

/** Collects key presses; `onDone` gets `digits`, empty after a time-out. */
export function getDigits(options: GetDigitsOptions = {}): Command {
  return command('GetDigits', options);
}

/** A number that is spoken, or pressed and ended with `#`; `onDone` gets its digits as `value`. */
export function getNumber(options: GetNumberOptions = {}): Command {
  return command('GetNumber', options);
}

/** A name that is spoken; `onDone` gets it as `value`, in lower case, empty where there was none. */
export function getName(options: GetNameOptions = {}): Command {
  return command('GetName', options);
}

/** Puts the call into a room of that name. */
export function joinConference(options: JoinConferenceOptions): Command {
  return command('JoinConference', options);
}

/** Calls a phone and connects both. */
export function callPhone(options: CallPhoneOptions | string): Command {
  return command('CallPhone', typeof options === 'string' ? { phoneNumber: options } : options);
}

/** Calls a registered user and connects both. */
export function callClient(options: CallClientOptions | string): Command {
  return command('CallClient', typeof options === 'string' ? { clientName: options } : options);
}

/** Ends the call. */
export function hangUp(): Command {
  return command('HangUp');
}
