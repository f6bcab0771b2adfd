import { parseParameters } from './parameters.ts';
import type { SipReplaces, SipSession } from './session.ts';

const maxCharacters = 1024;

/**
 * The value of a Replaces header (RFC 3891 section 6.1). The tag of a peer that has none, as in RFC 2543, is `0`.
 * @returns undefined where it is malformed
 */
export function parseReplaces(value: string): SipReplaces | undefined {
  const text = value.trim();
  const semicolon = text.indexOf(';');
  if (semicolon <= 0 || text.length > maxCharacters) return undefined;
  const parameters = parseParameters(text, semicolon);
  const callId = text.slice(0, semicolon).trim();
  const toTag = parameters?.get('to-tag');
  const fromTag = parameters?.get('from-tag');
  if (!toTag || !fromTag || /\s/.test(callId)) return undefined;
  return { callId, toTag, fromTag, earlyOnly: parameters?.has('early-only') ?? false };
}

export function formatReplaces({ callId, toTag, fromTag, earlyOnly }: SipReplaces): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`;
}

/** How the peer of a call of ours knows that call: what a third party sends it to take our place. */
export function replacesOf({ dialogId }: Pick<SipSession, 'dialogId'>): SipReplaces | undefined {
  if (dialogId === undefined) return undefined;
  const { callId, localTag, remoteTag } = dialogId;
  return { callId, toTag: remoteTag || '0', fromTag: localTag, earlyOnly: false };
}
