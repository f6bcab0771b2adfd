import { headerValues, type SipResponse } from './message.ts';
import { parseNameAddress } from './name-address.ts';
import { formatParameters } from './parameters.ts';
import { parseSipUri } from './uri.ts';

/** Asked before a call follows a redirection; it goes nowhere without consent. @param uri without headers */
export type RedirectConsent = (uri: string) => boolean | Promise<boolean>;

const maxContacts = 10;
const maxRedirections = 5;
/** RFC 3261 sections 21.3.1 to 21.3.3; 305 and 380 name no other place of the called party. */
const followed = new Set([300, 301, 302]);

/**
 * Where a call may go on to (RFC 3261 section 8.1.3.4): contacts by preference, each place once, and no more than a
 * few redirections in all.
 */
export class RedirectTargets {
  readonly #requestUri: string;
  /** Made with the first redirection. */
  #seen: Set<string> | undefined;
  #waiting: { uri: string; q: number }[] = [];
  #redirections = 0;

  constructor(requestUri: string) {
    this.#requestUri = requestUri;
  }

  /** Takes the contacts of a redirection. @returns whether the response is one */
  add(response: SipResponse): boolean {
    if (!followed.has(response.status) || this.#redirections >= maxRedirections) return false;
    this.#redirections++;
    const contacts = headerValues(response, 'contact')
      .slice(0, maxContacts)
      .map((value) => target(value))
      .filter((found) => found !== undefined);
    // Section 16.5: the newest advice goes first; the sort is stable, so equals keep the order they were listed in.
    this.#waiting = [...contacts.toSorted((a, b) => b.q - a.q), ...this.#waiting];
    return true;
  }

  /** The next place that was not tried yet. */
  next(): string | undefined {
    if (this.#waiting.length === 0) return undefined;
    this.#seen ??= new Set([canonical(this.#requestUri)]);
    for (let waiting = this.#waiting.shift(); waiting !== undefined; waiting = this.#waiting.shift()) {
      const key = canonical(waiting.uri);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      return waiting.uri;
    }
    return undefined;
  }
}

/** Headers in a Contact would have us send what a stranger wrote: a contact with them is none. */
function target(value: string): { uri: string; q: number } | undefined {
  const address = parseNameAddress(value);
  if (address?.sipUri === undefined || address.sipUri.headers !== undefined) return undefined;
  if (address.sipUri.parameters.has('method')) return undefined;
  const q = Number(address.parameters.get('q') ?? '1');
  return { uri: address.uri, q: q >= 0 && q <= 1 ? q : 1 };
}

/** Equal for URIs that are the same place (section 19.1.4, as much of it as loops need). */
function canonical(uri: string): string {
  const parsed = parseSipUri(uri);
  if (parsed === undefined) return uri;
  const parameters = new Map([...parsed.parameters].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const { scheme, user = '', host, port = '' } = parsed;
  return `${scheme}:${user}@${host}:${port}${formatParameters(parameters).toLowerCase()}`;
}
