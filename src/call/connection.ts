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
}

const numberPattern = /^\+?[0-9]{3,20}$/;

/** A party as applications know it: the number when the user part is one, else the whole URI. */
export function partyName(address: { user: string; uri: string }): string {
  return numberPattern.test(address.user) ? address.user : address.uri;
}
