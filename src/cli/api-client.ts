import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Credentials, loadCredentials } from '../auth/credentials.ts';
import { type Config, loadConfig } from '../config.ts';
import { CallreelError, catalogue, type ErrorCode } from '../errors.ts';
import { readServerAddress } from '../server-address.ts';

/** What every command that talks to a running server takes. */
export const serverOptions = {
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export const serverOptionsHelp = `  --url URL        the server's HTTP address, when it is not the one this configuration starts
  --json           the answer as JSON`;

interface Page<Item> {
  next: string | null;
  results: Item[];
}

/** The HTTP API of a running server, with the credentials of this configuration. */
export class ApiClient {
  readonly #baseUrl: string;
  readonly #authorization: string;

  private constructor(baseUrl: string, { accountId, authToken }: Credentials) {
    this.#baseUrl = baseUrl;
    const pair = Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64');
    this.#authorization = `Basic ${pair}`;
  }

  /** @throws CallreelError CONFIG_INVALID, SERVER_UNREACHABLE when no server ever ran here */
  static open({ url }: { url?: string | undefined }): ApiClient {
    const config = loadConfig();
    if (url !== undefined && !/^https?:\/\//.test(url))
      throw new CallreelError('USAGE', '--url wants an http or https URL', { where: url });
    return new ApiClient(url ?? addressOf(config), credentialsOf(config));
  }

  get<Body>(path: string): Promise<Body> {
    return this.#send('GET', path);
  }

  post<Body>(path: string, body?: unknown): Promise<Body> {
    return this.#send('POST', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.#send('DELETE', path);
  }

  /** Up to `limit` items of a list, page after page. */
  async list<Item>(path: string, query: Record<string, string | undefined>, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const parameters = new URLSearchParams([...given, ['limit', String(Math.min(limit, 100))]]);
    while (items.length < limit) {
      const { next, results } = await this.get<Page<Item>>(`${path}?${parameters}`);
      items.push(...results);
      if (next === null) break;
      parameters.set('cursor', next);
    }
    return items.slice(0, limit);
  }

  /** An answer that is no JSON. */
  fetch(path: string): Promise<Response> {
    return request(new URL(path, this.#baseUrl), { headers: { authorization: this.#authorization } });
  }

  async #send<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const response = await request(new URL(path, this.#baseUrl), {
      method,
      headers: {
        authorization: this.#authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw errorOf(response.status, text);
    return (text === '' ? undefined : parseJson(text)) as Body;
  }
}

/** `fetch` with the catalogue's error for a server that is not there. */
async function request(url: URL, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new CallreelError('SERVER_UNREACHABLE', `no Callreel answers at ${url.origin}`, { cause });
  }
}

/** The server's own error, as it would have been thrown here. */
export function errorOf(status: number, text: string): CallreelError {
  const body = parseJson(text) as { error?: { code?: string; message?: string; where?: string } } | undefined;
  const { code = '', message = '', where } = body?.error ?? {};
  if (Object.hasOwn(catalogue, code)) return new CallreelError(code as ErrorCode, message, { where });
  return new CallreelError('SERVER_UNREACHABLE', `what answers is no Callreel: HTTP status ${status}`);
}

function addressOf(config: Config): string {
  const left = readServerAddress(config.dataDir);
  if (left !== undefined) return left;
  const { host, port } = config.http;
  if (port === 0)
    throw new CallreelError('SERVER_UNREACHABLE', `no server runs on ${config.dataDir}`, {
      where: 'dataDir',
    });
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Those of the configuration or of the data directory; none are made here. */
function credentialsOf(config: Config): Credentials {
  const { accountId, authToken, dataDir } = config;
  const isKnown = (name: string, given: unknown) => given !== undefined || existsSync(join(dataDir, name));
  if (!isKnown('account-id', accountId) || !isKnown('auth-token', authToken))
    throw new CallreelError('SERVER_UNREACHABLE', `no server has run on ${dataDir} yet`, {
      where: 'dataDir',
    });
  return loadCredentials(dataDir, config);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
