import type { ClientState } from '../database/schema.ts';
import type { SipIdentity } from '../sip/caller-identity.ts';

/** What a connection is to the outside: one party's SIP dialog, however many rooms it visits. */
export interface Connection {
  /** 16 hex digits. */
  connectionId: string;
  accountId: string;
  /** E.164 number where the user part looks like one, else the SIP URI. */
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
  sipCallId: string;
  startedUnixMs: number;
  /** What the INVITE said about the caller; of incoming calls. */
  sipIdentity?: SipIdentity | undefined;
  /** The trunk it came in or went out by. */
  trunkId?: string | undefined;
  /** The connection that its call began with; its own where it was not placed for another. */
  callId?: string | undefined;
  /** Of a call that the API placed: told again in everything that is said of it. */
  clientState?: ClientState | undefined;
}

const numberPattern = /^\+?[0-9]{3,20}$/;

const maxNameCharacters = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get any further
const controlCharacters = /[\u0000-\u001f\u007f]/g;

/** A party as applications know it: the number when the user part is one, else the whole URI. */
export function partyName(address: { user: string; uri: string }): string {
  return numberPattern.test(address.user) ? address.user : printable(address.uri);
}

/** What strangers write into their messages, as it may stand in a row, a manifest or a callback. */
export function printable(text: string): string {
  return text.toWellFormed().replace(controlCharacters, '\ufffd').slice(0, maxNameCharacters).toWellFormed();
}
