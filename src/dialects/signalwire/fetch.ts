import type { CallbackClient } from '../../callbacks/callback-client.ts';
import { displayUrl, parseUserUrl } from '../../callbacks/user-url.ts';
import { CallreelError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import type { CallScope, FetchRequest } from './host.ts';
import { signatureHeaders } from './signature.ts';

const shownBodyCharacters = 200;

/** Asks applications for their documents: a signed POST of the call. */
export class DocumentFetcher {
  readonly #callbacks: CallbackClient;
  readonly #key: Secret;

  constructor(callbacks: CallbackClient, key: Secret) {
    this.#callbacks = callbacks;
    this.#key = key;
  }

  /**
   * @returns the answer as it came, JSON or YAML
   * @throws CallreelError CALLBACK_FAILED (also for a status other than 2xx and an empty answer), CALLBACK_FORBIDDEN,
   *   REQUEST_INVALID (the URL)
   */
  async fetch(
    url: string,
    call: CallScope,
    { vars, envs, params }: FetchRequest,
    signal: AbortSignal,
  ): Promise<string> {
    const body = JSON.stringify({ call, vars, envs, params });
    const { status, body: text } = await this.#callbacks.request({
      url,
      method: 'POST',
      headers: {
        accept: 'application/json, application/yaml, text/yaml',
        'content-type': 'application/json',
        ...signatureHeaders(this.#key, url, body),
      },
      body,
      signal,
    });
    const shown = displayUrl(parseUserUrl(url));
    const fail = (what: string) =>
      new CallreelError('CALLBACK_FAILED', `POST ${shown}: ${what}`, { where: shown });
    if (status >= 300 && status < 400) throw fail(`answered ${status}; redirects are not followed`);
    if (status < 200 || status > 299) throw fail(`answered ${status}: ${text.slice(0, shownBodyCharacters)}`);
    if (text.trim() === '') throw fail('answered with no document');
    return text;
  }
}
