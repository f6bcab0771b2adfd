const begin = Buffer.from('SIP/2.0 503 ');

export interface RefusedInvite {
  callId: string;
  /** Undefined where the answer has none, or none that is a number. */
  retryAfterSeconds: number | undefined;
}

/** @returns what a 503 to an INVITE says; undefined for any other message */
export function refusedInvite(message: Uint8Array): RefusedInvite | undefined {
  if (!begin.equals(message.subarray(0, begin.length))) return undefined;
  const text = Buffer.from(message).toString('latin1');
  const [, callId] = /^Call-ID: *(\S+)/im.exec(text) ?? [];
  if (callId === undefined || !/^CSeq: *\d+ +INVITE\r?$/im.test(text)) return undefined;
  return { callId, retryAfterSeconds: retryAfterOf(text) };
}

/** @param answer as text. @returns undefined where it says nothing of when to come again */
export function retryAfterOf(answer: string): number | undefined {
  const [, seconds] = /^Retry-After: *(\d+)/im.exec(answer) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
