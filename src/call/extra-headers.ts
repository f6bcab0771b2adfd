import { CallreelError } from '../errors.ts';
import type { SipHeader } from '../sip/session.ts';

const maxHeaders = 32;
const maxCharacters = 1024;
/** What a document may add to an INVITE: its own headers, and those that only tell something. */
const names =
  /^(x-[a-z0-9-]{1,60}|p-[a-z0-9-]{1,60}|user-to-user|subject|call-info|alert-info|accept-language|organization|priority)$/i;
/** They say who calls, and a trunk believes them. */
const identities = /^(p-asserted-identity|p-preferred-identity|p-called-party-id|p-charging.*)$/i;

/**
 * Headers that a document wants in an INVITE of ours.
 * @throws CallreelError REQUEST_INVALID with the name of the first that may not be there
 */
export function assertExtraHeaders(headers: readonly SipHeader[] = []): void {
  if (headers.length > maxHeaders)
    throw new CallreelError('REQUEST_INVALID', `more than ${maxHeaders} headers`, { where: 'headers' });
  for (const { name, value } of headers) {
    const where = name.slice(0, 64);
    if (!names.test(name) || identities.test(name))
      throw new CallreelError('REQUEST_INVALID', 'this header is not for a document to set', { where });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line end would begin another header
    if (value.length > maxCharacters || /[\u0000-\u001f\u007f]/.test(value))
      throw new CallreelError('REQUEST_INVALID', 'not the value of a header', { where });
  }
}
