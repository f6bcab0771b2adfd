import { CallreelError } from '../errors.ts';
import { normaliseNumber } from './e164.ts';

/**
 * E.164 where it begins with `+`, otherwise the user part of a SIP URI as callers dial it.
 * @throws CallreelError NUMBER_INVALID
 */
export function numberOf(text: string): string {
  const bare = text.trim();
  if (bare.startsWith('+')) return normaliseNumber(bare);
  if (/^[A-Za-z0-9_.!~*'-]{1,64}$/.test(bare)) return bare;
  throw new CallreelError('NUMBER_INVALID', 'neither an E.164 number nor the user part of a SIP URI', {
    where: bare.slice(0, 64),
  });
}
