import { CallreelError } from '../errors.ts';
import { nationalDialing } from './national-dialing.ts';

/** E.164 (2010), section 6: at most 15 digits, the first of a country code is not zero. */
const e164Pattern = /^\+[1-9]\d{6,14}$/;
const maxTextLength = 128;
const maxShownLength = 64;
const separators = /[\s().\-/]/g;

/**
 * A telephone number as people, documents and SIP peers write it (`+1 (555) 888-1188`, `tel:+1-555-888-1188`,
 * `0015558881188`, `%2B15558881188;npdi`) as E.164. What is not written internationally is read by the customs of
 * `country`, or of the `phone-context` that stands with it (RFC 3966, section 5.1.5).
 * @param country two letters of ISO 3166-1 or a calling code; without it a number needs `+` or `00`
 */
export function toE164(text: string, country?: string): string | undefined {
  if (text.length > maxTextLength) return undefined;
  const [subscriber = '', ...parameters] = decoded(text).replace(/^tel:/i, '').split(';');
  const bare = subscriber.replace(separators, '');
  const context = bare.startsWith('+') ? undefined : phoneContext(parameters);
  const number = international(bare, context?.country ?? country) ?? joined(context?.prefix, bare);
  return number !== undefined && e164Pattern.test(number) ? number : undefined;
}

/**
 * As `toE164`: whose country another number is meant for, nobody can tell.
 * @throws CallreelError NUMBER_INVALID
 */
export function normaliseNumber(text: string, country?: string): string {
  const number = toE164(text, country);
  if (number !== undefined) return number;
  throw new CallreelError('NUMBER_INVALID', 'this is not a telephone number in the form of E.164', {
    where: text.slice(0, maxShownLength),
  });
}

/**
 * A called user part in every way a number may have been entered: as it stands, as E.164, with `+`, without; each
 * without the parameters of a telephone number (RFC 3261, section 19.1.6).
 */
export function numberSpellings(user: string, country?: string): string[] {
  const plain = user.split(';')[0] ?? '';
  const digits = plain.replace(/^\+/, '');
  const number = toE164(user, country);
  const normal = number === undefined ? [] : [number, number.slice(1)];
  return [...new Set([user, plain, ...normal, `+${digits}`, digits])].filter(
    (spelling) => spelling !== '' && spelling !== '+',
  );
}

function international(bare: string, country: string | undefined): string | undefined {
  if (bare.startsWith('+')) return bare;
  const dialing = country === undefined ? undefined : nationalDialing(country);
  for (const prefix of [dialing?.internationalPrefix ?? '00', '00'])
    if (bare.startsWith(prefix)) return `+${bare.slice(prefix.length)}`;
  if (dialing === undefined || !/^\d+$/.test(bare)) return undefined;
  const { countryPrefix, trunkPrefix, closed, minDigits } = dialing;
  const isLong = trunkPrefix !== '' && bare.startsWith(trunkPrefix);
  if (!isLong && !closed) return undefined;
  const national = isLong ? bare.slice(trunkPrefix.length) : bare;
  return national.length < minDigits ? undefined : countryPrefix + national;
}

interface PhoneContext {
  country?: string;
  prefix?: string;
}

/** A context that is a calling code names a country; a longer one stands before the number. */
function phoneContext(parameters: readonly string[]): PhoneContext | undefined {
  const text = parameters.find((parameter) => /^phone-context=/i.test(parameter));
  const context = text?.slice(text.indexOf('=') + 1).replace(separators, '');
  if (context === undefined || !/^\+\d{1,15}$/.test(context)) return undefined;
  return context.length <= 4 ? { country: context } : { prefix: context };
}

function joined(prefix: string | undefined, bare: string): string | undefined {
  return prefix === undefined || !/^\d+$/.test(bare) ? undefined : prefix + bare;
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
