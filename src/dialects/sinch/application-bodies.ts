import type { Fields } from './fields.ts';

/** Where the callbacks of an application go. */
export interface CallbackUrls {
  primary: string | undefined;
  /** Asked where the primary one gives an error or nothing in time. */
  fallback: string | undefined;
}

export interface NumberAssignment {
  numbers: readonly string[];
  /** Undefined: the application that asks. */
  applicationKey: string | undefined;
  capability: 'voice' | 'sms';
}

const maxNumbers = 1000;
const urlLimits = { max: 2000, form: /^(?:https?:\/\/\S+)?$/i, expected: 'an http or https URL' };
const keyLimits = { min: 1, max: 100, form: /^[\w-]+$/, expected: 'the key of an application' };
const e164 = /^\+[1-9]\d{4,14}$/;

/** The body of `POST /v1/configuration/callbacks/applications/{key}`: an empty URL is none. */
export function readCallbackUrls(fields: Fields): CallbackUrls | undefined {
  if (!fields.has('url')) fields.missing('url');
  const url = fields.object('url');
  if (!url) return undefined;
  const urls = {
    primary: url.text('primary', urlLimits) || undefined,
    fallback: url.text('fallback', urlLimits) || undefined,
  };
  url.end();
  return urls;
}

/** As `GET` answers it. */
export function callbackUrlsBody({ primary, fallback }: CallbackUrls) {
  return { url: { ...(primary !== undefined && { primary }), ...(fallback !== undefined && { fallback }) } };
}

/** The body of `POST` (`numbers`) and of `DELETE /v1/configuration/numbers` (`number`). */
export function readNumbers(fields: Fields): NumberAssignment | undefined {
  const one = fields.text('number', { form: e164, expected: 'a number as +15551234567' });
  const given = fields.list('numbers', maxNumbers) ?? [];
  if (!fields.has('number') && !fields.has('numbers')) fields.missing('numbers');
  const numbers = given.filter((each): each is string => typeof each === 'string' && e164.test(each));
  if (numbers.length < given.length) fields.refuse('numbers', 'numbers as +15551234567 are expected');
  return {
    numbers: one === undefined ? numbers : [one, ...numbers],
    applicationKey: fields.text('applicationkey', keyLimits),
    capability: fields.oneOf('capability', ['voice', 'sms']) ?? 'voice',
  };
}
