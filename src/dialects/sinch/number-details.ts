import { CallreelError } from '../../errors.ts';
import { toE164 } from '../../routing/e164.ts';
import { countryOfNumber } from '../../routing/number-country.ts';
import { free, type Price } from './callback-bodies.ts';
import { SinchError } from './errors.ts';

/** What `GET /v1/calling/query/number/{number}` tells. */
export interface NumberDetails {
  /** ISO 3166-1. */
  countryId: string;
  /** Nothing here knows which numbers are whose. */
  numberType: 'Unknown';
  normalizedNumber: string;
  /** It may not be called, or can not be. */
  restricted: boolean;
  rate: Price;
}

export interface NumberQueryOptions {
  /** Whose national numbers are meant. */
  country: string | undefined;
  /** @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK */
  route(number: string): Promise<unknown>;
}

/** @throws SinchError 40001 for what is no number */
export async function numberDetails(
  text: string,
  { country, route }: NumberQueryOptions,
): Promise<NumberDetails> {
  // The vendor's own examples are without the plus.
  const number = toE164(text, country) ?? toE164(`+${text}`);
  if (number === undefined) throw new SinchError(40001, 'number: a number as +15551234567 is expected');
  return {
    countryId: countryOfNumber(number) ?? '',
    numberType: 'Unknown',
    normalizedNumber: number,
    restricted: await isRestricted(() => route(number)),
    rate: free,
  };
}

async function isRestricted(route: () => Promise<unknown>): Promise<boolean> {
  try {
    await route();
    return false;
  } catch (error) {
    if (error instanceof CallreelError && ['OUTBOUND_FORBIDDEN', 'NO_TRUNK'].includes(error.code))
      return true;
    throw error;
  }
}
