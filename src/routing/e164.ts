import { CallreelError } from '../errors.ts';

/** E.164 (2010), section 6: at most 15 digits, the first of a country code is not zero. */
const e164Pattern = /^\+[1-9]\d{6,14}$/;
const maxTextLength = 64;

/**
 * A telephone number as people and documents write it (`+1 (555) 888-1188`, `tel:+1-555-888-1188`, `0015558881188`)
 * as E.164. A number without `+` or `00` is refused: whose country it is meant for, nobody can tell.
 * @throws CallreelError NUMBER_INVALID
 */
export function normaliseNumber(text: string): string {
  const bare = text
    .slice(0, maxTextLength)
    .replace(/^tel:/i, '')
    .replace(/;.*$/, '')
    .replace(/[\s().\-/]/g, '')
    .replace(/^00/, '+');
  if (text.length <= maxTextLength && e164Pattern.test(bare)) return bare;
  throw new CallreelError('NUMBER_INVALID', 'this is not a telephone number in the form of E.164', {
    where: text.slice(0, maxTextLength),
  });
}

/** A called user part in every way a number may have been entered: as it stands, with `+`, without. */
export function numberSpellings(user: string): string[] {
  const digits = user.replace(/^\+/, '');
  return [...new Set([user, `+${digits}`, digits])].filter((spelling) => spelling !== '' && spelling !== '+');
}
