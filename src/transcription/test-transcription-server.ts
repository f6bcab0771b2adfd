import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { parseWav } from '../container/wav-parser.ts';

/** For tests only: servers of POST /v1/audio/transcriptions, after OpenAI's public description of it. */
export interface ReceivedForm {
  path: string;
  authorization: string | undefined;
  fields: Record<string, string[]>;
  rateHz: number;
  seconds: number;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** Text as it stands, anything else as JSON. */
  body?: unknown;
  /** In place of the body: written one after the other. */
  parts?: readonly (string | Uint8Array)[];
  /** The connection breaks off behind the body. */
  isCutOff?: boolean;
}

export interface TestTranscriptionServer {
  url: string;
  received: ReceivedForm[];
  close(): Promise<void>;
}

/** @param answer undefined for none at all */
export async function startServer(
  answer: (form: ReceivedForm, count: number) => Answer | undefined,
): Promise<TestTranscriptionServer> {
  const received: ReceivedForm[] = [];
  const server: Server = createServer(async (request, response) => {
    const type = request.headers['content-type'] ?? '';
    const form = await new Response(await buffer(request), { headers: { 'content-type': type } }).formData();
    const fields: Record<string, string[]> = {};
    let wav = { rateHz: 0, frames: 0 };
    for (const [name, value] of form as unknown as Iterable<[string, string | File]>)
      if (typeof value === 'string') (fields[name] ??= []).push(value);
      else wav = parseWav(new Uint8Array(await value.arrayBuffer()));
    const { authorization } = request.headers;
    const seconds = wav.frames / wav.rateHz;
    received.push({ path: request.url ?? '', authorization, fields, rateHz: wav.rateHz, seconds });
    const given = answer(received.at(-1)!, received.length);
    if (!given) return;
    await send(response, given);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function send(
  response: ServerResponse,
  { status = 200, headers = {}, body, parts, isCutOff = false }: Answer,
): Promise<void> {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  for (const part of parts ?? [typeof body === 'string' ? body : JSON.stringify(body)])
    await new Promise((resolve) => response.write(part, resolve));
  if (isCutOff) response.destroy();
  else response.end();
}

/**
 * As speaches answers: `verbose_json` with segments, and with words, there and in each segment, where
 * `timestamp_granularities[]` asks for them; the language as its code.
 */
export function likeSpeaches(text: string, language = 'en'): (form: ReceivedForm) => Answer {
  return ({ fields, seconds }) => {
    if (fields.response_format?.[0] !== 'verbose_json') return { body: { text } };
    const spoken = text.split(' ').filter(Boolean);
    const wordSeconds = (seconds - 0.5) / spoken.length;
    const start = (index: number) => 0.3 + index * wordSeconds;
    const words = fields['timestamp_granularities[]']?.includes('word')
      ? spoken.map((word, i) => ({ start: start(i), end: start(i + 1), word: ` ${word}`, probability: 0.75 }))
      : null;
    const segment = {
      ...{ id: 1, seek: 0, start: 0, end: seconds, text: ` ${text}`, tokens: [50364], temperature: 0 },
      ...{ avg_logprob: -0.25, compression_ratio: 1.1, no_speech_prob: 0.01, words },
    };
    const segments = text === '' ? [] : [segment];
    return { body: { task: 'transcribe', language, duration: seconds, text, words, segments } };
  };
}

/** As a server that knows only `json` answers; other formats are refused as OpenAI refuses them. */
export function onlyJson(text: string): (form: ReceivedForm) => Answer {
  return ({ fields }) =>
    fields.response_format?.[0] === 'json'
      ? { body: { text } }
      : {
          status: 400,
          body: {
            error: {
              message:
                "response_format 'verbose_json' is not compatible with model 'gpt-4o-transcribe'. Use 'json' or 'text' instead.",
              type: 'invalid_request_error',
              param: 'response_format',
              code: 'unsupported_value',
            },
          },
        };
}
