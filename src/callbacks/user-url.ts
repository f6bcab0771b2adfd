import { CallreelError } from '../errors.ts';

const shownCharacters = 200;

/** @throws CallreelError REQUEST_INVALID */
export function parseUserUrl(text: string, what = 'a callback URL'): URL {
  const url = URL.parse(text);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new CallreelError('REQUEST_INVALID', `${what} must be an absolute http or https URL`, {
    where: url ? displayUrl(url) : text.slice(0, shownCharacters),
  });
}

/** Query and user info may hold the user's secrets. */
export function displayUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

export function withoutUserInfo(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain;
}

/** User info becomes HTTP Basic authentication. */
export function authorizationHeader(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const pair = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** A URL may hold percent signs that encode nothing. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
