import type { SipHeader } from '../../sip/session.ts';
import { Fields } from './fields.ts';

/** What the keys of a participant do. */
export interface ConferenceDtmf {
  /** `detect`: they are told by PIE. */
  mode: 'ignore' | 'forward' | 'detect';
  maxDigits: number;
  timeoutMs: number;
}

const maxHeaders = 30;
const defaultDtmfTimeoutMs = 3000;
const endpointLimits = {
  min: 1,
  max: 500,
  form: /^[^\s<>"]+$/,
  expected: 'an address without blanks',
};

/** The endpoint of a `destination` of one type. @returns undefined where there is none, or a wrong one, which is told */
export function readDestination(fields: Fields, type: string): string | undefined {
  const destination = fields.object('destination');
  if (!destination) return undefined;
  destination.oneOf('type', [type]);
  const endpoint = destination.required('endpoint', endpointLimits);
  destination.end();
  return endpoint;
}

export function readSipUri(fields: Fields): string | undefined {
  const transport = fields.oneOf('transport', ['udp', 'tcp', 'tls']);
  if (!fields.has('destination')) fields.missing('destination');
  const endpoint = readDestination(fields, 'sip');
  if (endpoint === undefined) return undefined;
  const uri = /^sips?:/i.test(endpoint) ? endpoint : `sip:${endpoint}`;
  const isNamed = transport === undefined || transport === 'udp' || /;transport=/i.test(uri);
  return isNamed ? uri : `${uri};transport=${transport}`;
}

/**
 * `callHeaders` as headers of the INVITE: a key that does not begin with `X-` gets that. A key that no header can have
 * is left out, with a warning.
 */
export function readCallHeaders(fields: Fields): readonly SipHeader[] {
  const headers: SipHeader[] = [];
  for (const [index, each] of (fields.list('callHeaders', maxHeaders) ?? []).entries()) {
    const header = Fields.of(each, [...fields.at('callHeaders'), index], fields.problems);
    if (!header) continue;
    const key = header.required('key', { min: 1, max: 60, expected: 'the name of a header' });
    const value = header.text('value', { max: 1000, form: /^[^\r\n]*$/, expected: 'one line' }) ?? '';
    header.end();
    if (key === undefined) continue;
    const name = /^x-/i.test(key) ? key : `X-${key}`;
    if (/^x-[a-z0-9-]{1,60}$/i.test(name)) headers.push({ name, value });
    else header.warn('key', 'no header can have this name: it is left out');
  }
  return headers;
}

export function readConferenceDtmf(fields: Fields): ConferenceDtmf | undefined {
  const given = fields.object('conferenceDtmfOptions');
  if (!given) return undefined;
  const dtmf: ConferenceDtmf = {
    mode: given.oneOf('mode', ['ignore', 'forward', 'detect']) ?? 'ignore',
    maxDigits: given.number('maxDigits', { min: 1, max: 64 }) ?? 1,
    timeoutMs: given.number('timeoutMills', { min: 0, max: 600_000 }) ?? defaultDtmfTimeoutMs,
  };
  given.end();
  return dtmf;
}
