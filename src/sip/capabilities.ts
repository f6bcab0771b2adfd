import { acceptedTypes } from './body.ts';
import type { SipHeader } from './session.ts';

/** Methods we act on. PRACK, REFER and others join here. */
export const allowedMethods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE'] as const;

/** Methods of the RFCs that we know but do not act on: 405, where an unknown method is 501. */
const refusedMethods = new Set(['REGISTER', 'PRACK', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'REFER', 'MESSAGE']);

/** Option tags we understand in Require. */
const supportedOptions = new Set<string>();

export function allowHeader(methods: readonly string[]): SipHeader {
  return { name: 'Allow', value: methods.join(', ') };
}

/** 405 or 501 for a method that is not in `methods`. */
export function methodRefusal(method: string, methods: readonly string[]): 405 | 501 | undefined {
  if (methods.includes(method)) return undefined;
  return refusedMethods.has(method) ? 405 : 501;
}

/** Tags of a Require header that we do not understand. */
export function unsupportedOptions(required: readonly string[]): string[] {
  return required.filter((option) => !supportedOptions.has(option.toLowerCase()));
}

/** What a 200 to OPTIONS says (RFC 3261 section 11.2). */
export function capabilityHeaders(methods: readonly string[]): SipHeader[] {
  return [
    allowHeader(methods),
    { name: 'Accept', value: acceptedTypes },
    { name: 'Accept-Encoding', value: 'identity' },
    { name: 'Supported', value: [...supportedOptions].join(', ') },
  ];
}
