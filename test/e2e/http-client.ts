import type { Credentials } from '../../src/auth/credentials.ts';

export interface HttpAnswer<Body> {
  status: number;
  headers: Headers;
  /** Parsed JSON; undefined when the answer has no body. */
  body: Body;
}

export interface ErrorBody {
  error: { code: string; message: string; where?: string; blame: string; todo: string };
}

export interface Page<Item> {
  next: string | null;
  previous: string | null;
  results: Item[];
}

type Fields = Record<string, string> | [name: string, value: string][];

/** Talks to a server as a user's program would: HTTP Basic, JSON or forms, whole answers. */
export class HttpClient {
  readonly #baseUrl: string;
  readonly #authorization: string;

  constructor({ publicUrl, credentials }: { publicUrl: string; credentials: Credentials }) {
    this.#baseUrl = publicUrl;
    const pair = `${credentials.accountId}:${credentials.authToken.reveal()}`;
    this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  }

  get<Body>(pathOrUrl: string): Promise<HttpAnswer<Body>> {
    return this.#send('GET', pathOrUrl);
  }

  json<Body>(method: string, path: string, value: unknown): Promise<HttpAnswer<Body>> {
    return this.#send(method, path, JSON.stringify(value), 'application/json');
  }

  /** As `json`, with an idempotency key. */
  keyed<Body>(key: string, method: string, path: string, value: unknown): Promise<HttpAnswer<Body>> {
    return this.#send(method, path, JSON.stringify(value), 'application/json', { 'idempotency-key': key });
  }

  form<Body>(method: string, path: string, fields: Fields): Promise<HttpAnswer<Body>> {
    const body = new URLSearchParams(fields).toString();
    return this.#send(method, path, body, 'application/x-www-form-urlencoded');
  }

  delete(path: string): Promise<HttpAnswer<ErrorBody | undefined>> {
    return this.#send('DELETE', path);
  }

  post<Body>(path: string): Promise<HttpAnswer<Body>> {
    return this.#send('POST', path);
  }

  /** A file. @throws Error when there is none */
  async bytes(pathOrUrl: string): Promise<Uint8Array> {
    const url = new URL(pathOrUrl, this.#baseUrl);
    const response = await fetch(url, { headers: { authorization: this.#authorization } });
    if (response.status !== 200)
      throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  async #send<Body>(
    method: string,
    pathOrUrl: string,
    body?: string,
    contentType?: string,
    headers: Record<string, string> = {},
  ): Promise<HttpAnswer<Body>> {
    const response = await fetch(new URL(pathOrUrl, this.#baseUrl), {
      method,
      body,
      headers: {
        authorization: this.#authorization,
        ...(contentType ? { 'content-type': contentType } : {}),
        ...headers,
      },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }
}
