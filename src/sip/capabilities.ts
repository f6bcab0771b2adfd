import { acceptedTypes } from './body.ts';
import type { SipHeader } from './session.ts';

/** Methods we act on. */
export const allowedMethods = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'INFO',
  'UPDATE',
  'PRACK',
  'REFER',
  'NOTIFY',
] as const;

/** Methods of the RFCs that we know but do not act on: 405, where an unknown method is 501. */
const refusedMethods = new Set(['REGISTER', 'SUBSCRIBE', 'PUBLISH', 'MESSAGE']);

/** Option tags we understand in Require. */
const supportedOptions = new Set<string>(['100rel', 'timer', 'replaces', 'norefersub']);

/** What only a registrar understands (RFC 3327, RFC 5626). */
const registrarOptions = new Set(['path', 'outbound']);

export function allowHeader(methods: readonly string[]): SipHeader {
  return { name: 'Allow', value: methods.join(', ') };
}

/** Without `100rel`: what answers reliably is only the first INVITE. */
export function supportedHeader(options: readonly string[] = ['timer', 'replaces', 'norefersub']): SipHeader {
  return { name: 'Supported', value: options.join(', ') };
}

/** 405 or 501 for a method that is not in `methods`. */
export function methodRefusal(method: string, methods: readonly string[]): 405 | 501 | undefined {
  if (methods.includes(method)) return undefined;
  return refusedMethods.has(method) ? 405 : 501;
}

/** Tags of a Require header that we do not understand. */
export function unsupportedOptions(required: readonly string[], method: string): string[] {
  const registers = method === 'REGISTER';
  return required
    .filter((option) => !supportedOptions.has(option.toLowerCase()))
    .filter((option) => !(registers && registrarOptions.has(option.toLowerCase())));
}

/** What a 200 to OPTIONS says (RFC 3261 section 11.2). */
export function capabilityHeaders(methods: readonly string[]): SipHeader[] {
  return [
    allowHeader(methods),
    { name: 'Accept', value: acceptedTypes },
    { name: 'Accept-Encoding', value: 'identity' },
    supportedHeader([...supportedOptions]),
  ];
}
