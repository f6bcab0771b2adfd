// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../../errors.ts';
import { runSwml, TestHost } from '../test-host.ts';

const get = { url: 'https://api.example/todos/1', method: 'GET' };

describe('request', () => {
  it('sends what it is told', async () => {
    const { host } = await runSwml(
      [
        { request: get },
        {
          request: {
            url: 'https://u:p@api.example/x?from=${call.from}',
            method: 'POST',
            headers: { 'X-Case': '${n}', authorization: 'Bearer x' },
            body: { n: '${n}', list: [1] },
            timeout: 2.5,
            connect_timeout: 1,
          },
        },
      ],
      { vars: { n: 7 } },
    );
    const none = { body: undefined, headers: [], timeoutMs: undefined, connectTimeoutMs: undefined };
    assert.deepEqual(host.requested, [
      { ...get, ...none },
      {
        url: 'https://u:p@api.example/x?from=+15551234567',
        method: 'POST',
        headers: [
          { name: 'X-Case', value: '7' },
          { name: 'authorization', value: 'Bearer x' },
          { name: 'Content-Type', value: 'application/json' },
        ],
        body: '{"n":7,"list":[1]}',
        timeoutMs: 2500,
        connectTimeoutMs: 1000,
      },
    ]);
  });

  it('guesses the type of a body by how it begins', async () => {
    const types = [];
    for (const [body, headers] of [
      ['{"a":1}', {}],
      [' [1]', {}],
      ['<a/>', {}],
      ['a=1&b=2', {}],
      ['hello', {}],
      ['{}', { 'Content-Type': 'text/x' }],
    ] as const) {
      const { host } = await runSwml([{ request: { ...get, method: 'POST', body, headers } }]);
      types.push(host.requested[0]?.headers.map(({ value }) => value).join());
    }
    assert.deepEqual(types, [
      'application/json',
      'application/json',
      'application/xml',
      'application/x-www-form-urlencoded',
      'text/plain',
      'text/x',
    ]);
  });

  it('sets its variables, and those of a JSON answer where it is to', async () => {
    const host = new TestHost();
    const body = '{"status":"created","number":{"home":"n/a"},"__proto__":{"x":1}}';
    host.answer = { status: 201, headers: [{ name: ' Content-Type ', value: ' application/json ' }], body };
    const { vars } = await runSwml(
      [
        { request: { ...get, save_variables: true } },
        { play: 'say:${request_response.number.home} ${request_response_headers.content-type}' },
      ],
      { host },
    );
    assert.deepEqual(host.heard, ['n/a application/json']);
    assert.equal(vars.request_response_body, body);
    assert.equal(vars.request_response_code, 201);
    assert.deepEqual(
      [vars.request_result, vars.return_value, vars.request_url],
      ['success', 'success', get.url],
    );
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });

  it('has failed where the answer says so, or there is none', async () => {
    const host = new TestHost();
    host.answer = { status: 404, headers: [], body: 'none' };
    const { vars } = await runSwml([{ request: { ...get, save_variables: true } }], {
      host,
      vars: { request_response: 'old' },
    });
    assert.deepEqual(
      [vars.request_result, vars.request_response_code, vars.request_response],
      ['failed', 404, undefined],
    );
    host.request = async () => {
      throw new CallreelError('CALLBACK_FORBIDDEN', 'a private address');
    };
    const { vars: none } = await runSwml([{ request: get }], { host, vars: { request_response_code: 200 } });
    assert.deepEqual(
      [none.request_result, none.request_response_code, none.script_error],
      ['failed', undefined, 'relay_script_method_execute_failed'],
    );
  });

  it('keeps 64 headers and 64 KB of the body', async () => {
    const host = new TestHost();
    host.answer = {
      status: 200,
      headers: Array.from({ length: 100 }, (_, n) => ({ name: `X-${n}`, value: 'v' })),
      body: 'x'.repeat(100_000),
    };
    const { vars } = await runSwml([{ request: get }], { host });
    assert.equal(Object.keys(vars.request_response_headers as object).length, 64);
    assert.equal((vars.request_response_body as string).length, 65_536);
  });

  it('does not let a variable add a header', async () => {
    const { end, host } = await runSwml([{ request: { ...get, headers: { 'X-A': '${v}' } } }], {
      vars: { v: 'a\r\nX-B: b' },
    });
    assert.equal(end.error?.code, 'relay_script_method_parameter_invalid_value');
    assert.equal(host.requested.length, 0);
  });
});

describe('user_event', () => {
  it('sends its event', async () => {
    const { host } = await runSwml([{ user_event: { event: { type: 'x', from: '${call.from}' } } }]);
    assert.deepEqual(JSON.parse(JSON.stringify(host.events)), [
      { name: 'user_event', params: { event: { type: 'x', from: '+15551234567' } } },
    ]);
  });
});
