import type { SipHeader } from './session.ts';

/** With a 503 (RFC 3261 section 20.33): in this many seconds there may be room again. */
export const retryAfter: SipHeader = { name: 'Retry-After', value: '10' };
