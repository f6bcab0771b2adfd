import type { HttpAnswer } from '../host.ts';
import { isObject, type JsonObject, jsonObject } from '../json.ts';
import {
  flag,
  invalid,
  type Kind,
  number,
  object,
  oneOf,
  optional,
  required,
  url,
  withDefault,
} from '../parameters.ts';
import type { Path } from '../script-error.ts';
import { maxSeconds } from './call.ts';
import { failed, method, type Run } from './method.ts';

/** The vendor's 64 KB and 64 headers. */
export const maxBodyCharacters = 65_536;
const maxSavedHeaders = 64;
const headerName = /^(?:accept|authorization|content-type|range|x-[!#$%&'*+.^_`|~\w-]{1,100})$/i;

const headers: Kind<{ name: string; value: string }[]> = {
  read(value, path) {
    return Object.entries(object(maxSavedHeaders).read(value, path)).map(([name, each]) => {
      const at = [...path, name];
      if (!headerName.test(name))
        return invalid('Accept, Authorization, Content-Type, Range and X- headers can be set', at);
      const text = typeof each === 'object' ? invalid('a text is expected', at) : String(each);
      return /^[^\r\n\0]{0,4000}$/.test(text) ? { name, value: text } : invalid('one line is expected', at);
    });
  },
};

const body: Kind<string> = {
  read: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
};

const seconds = number({ min: 0, max: maxSeconds });

export const request = method({
  name: 'request',
  parameters: {
    url: required(url),
    method: required(oneOf('GET', 'POST', 'PUT', 'DELETE')),
    headers: withDefault(headers, []),
    body: optional(body),
    connect_timeout: withDefault(seconds, 0),
    timeout: withDefault(seconds, 0),
    save_variables: withDefault(flag, false),
  },
  async run(values, run, path) {
    const { variables, host } = run;
    for (const name of [
      'request_response_code',
      'request_response_headers',
      'request_response_body',
      'request_response',
    ])
      variables.unset(name);
    variables.set('request_url', values.url);
    let answer: HttpAnswer | undefined;
    try {
      answer = await run.untilEnded(
        host.request({
          ...{ url: values.url, method: values.method, body: values.body },
          headers: withType(values.headers, values.body),
          timeoutMs: ms(values.timeout),
          connectTimeoutMs: ms(values.connect_timeout),
        }),
      );
    } catch (error) {
      if (host.ended.aborted) throw error;
      failed(run, path, error);
    }
    if (answer) remember(answer, values.save_variables, run, path);
    const result = answer && answer.status >= 200 && answer.status < 300 ? 'success' : 'failed';
    variables.setAll({ request_result: result, return_value: result });
    return undefined;
  },
});

/** 0: the host's own. */
function ms(value: number): number | undefined {
  return value === 0 ? undefined : value * 1000;
}

/** By the first character, where the document does not say. */
function withType(
  given: { name: string; value: string }[],
  sent: string | undefined,
): { name: string; value: string }[] {
  if (sent === undefined || given.some(({ name }) => name.toLowerCase() === 'content-type')) return given;
  const start = sent.trimStart();
  const isJson = start.startsWith('{') || start.startsWith('[');
  const other = start.startsWith('<')
    ? 'application/xml'
    : /^[^\s=&]+=/.test(start)
      ? 'application/x-www-form-urlencoded'
      : 'text/plain';
  return [...given, { name: 'Content-Type', value: isJson ? 'application/json' : other }];
}

function remember(answer: HttpAnswer, save: boolean, run: Run, path: Path): void {
  const { variables } = run;
  variables.set('request_response_code', answer.status);
  variables.set('request_response_headers', headersOf(answer));
  variables.set('request_response_body', answer.body.slice(0, maxBodyCharacters));
  if (!save) return;
  try {
    variables.set('request_response', JSON.parse(answer.body));
  } catch {
    failed(run, path, new Error("the answer can't be saved: it is not JSON"));
  }
}

function headersOf(answer: HttpAnswer): JsonObject {
  const kept = answer.headers.slice(0, maxSavedHeaders);
  return jsonObject(kept.map(({ name, value }) => [name.trim().toLowerCase(), value.trim()]));
}

const event: Kind<JsonObject> = {
  read: (value, path) => (isObject(value) ? value : invalid('an object is expected', path)),
};

export const userEvent = method({
  name: 'user_event',
  parameters: { event: required(event) },
  async run({ event: params }, { host }) {
    host.event('user_event', jsonObject([['event', params]]));
    return undefined;
  },
});
