import { defaultMaxForwards } from './serializer.ts';
import type { SipSession } from './session.ts';

/**
 * How many hops a call may go on for that another one is the reason of: one less than that has left (RFC 7332 section
 * 3), so that calls which lead to each other come to an end. 0 and less: none.
 */
export function hopsLeft({ direction, headers }: Pick<SipSession, 'direction' | 'headers'>): number {
  if (direction === 'outgoing') return defaultMaxForwards;
  const value = headers.find(({ name }) => name.toLowerCase() === 'max-forwards')?.value;
  return (value === undefined ? defaultMaxForwards : Number(value)) - 1;
}
