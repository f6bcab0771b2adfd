import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TestServer } from '../../src/testkit/server.ts';
import { type ErrorBody, HttpClient, type Page } from './http-client.ts';

let server: TestServer;
let http: HttpClient;

before(async () => {
  server = await TestServer.start();
  http = new HttpClient(server.callreel);
});

after(() => server.stop());

describe('native API', () => {
  test('empty lists', async () => {
    for (const path of ['/v1/recordings', '/v1/events', '/v1/connections'])
      assert.deepEqual((await http.get<Page<unknown>>(path)).body, {
        next: null,
        previous: null,
        results: [],
      });
    for (const path of ['/v1/trunks', '/v1/dial-permissions'])
      assert.deepEqual((await http.get<Page<unknown>>(path)).body, { results: [] });
  });

  test('nothing without credentials', async () => {
    for (const path of [
      '/v1/recordings',
      '/v1/connections',
      '/v1/events',
      '/v1/trunks',
      '/v1/dial-permissions',
      '/v1/dial-route',
    ])
      assert.equal((await fetch(server.callreel.publicUrl + path)).status, 401);
  });

  const trunk = { name: 'a', host: 'sip.example.com' };
  const wrong: [method: string, path: string, body: unknown, status: number, where: string][] = [
    ['GET', '/v1/recordings?cursor=x', undefined, 400, 'querystring.cursor'],
    ['GET', '/v1/recordings?limit=1.5', undefined, 400, 'querystring.limit'],
    ['GET', '/v1/recordings?state=gone', undefined, 400, 'querystring.state'],
    ['GET', '/v1/recordings/none', undefined, 404, 'none'],
    ['GET', '/v1/events?state=lost', undefined, 400, 'querystring.state'],
    ['GET', '/v1/trunks/none', undefined, 404, 'none'],
    ['POST', '/v1/trunks', { ...trunk, name: '' }, 400, 'body.name'],
    ['POST', '/v1/trunks', { ...trunk, host: 'user@host' }, 400, 'body.host'],
    ['POST', '/v1/trunks', { ...trunk, host: 'host;maddr=10.0.0.1' }, 400, 'body.host'],
    ['POST', '/v1/trunks', { ...trunk, port: 0 }, 400, 'body.port'],
    ['POST', '/v1/trunks', { ...trunk, transport: 'sctp' }, 400, 'body.transport'],
    ['POST', '/v1/trunks', { ...trunk, username: 'u' }, 400, 'body.password'],
    ['POST', '/v1/trunks', { ...trunk, register: true }, 400, 'body.username'],
    ['POST', '/v1/trunks', { ...trunk, gateways: [{ host: 'a b' }] }, 400, 'body.gateways.0.host'],
    ['POST', '/v1/trunks', { ...trunk, outbound_proxy: 'proxy:0' }, 400, 'body.outbound_proxy'],
    ['POST', '/v1/trunks', { ...trunk, from_user: 'a\r\nVia: b' }, 400, 'body.from_user'],
    ['POST', '/v1/trunks', { ...trunk, from_number: 'sip:a@b>;x' }, 400, 'body.from_number'],
    ['POST', '/v1/trunks', { ...trunk, country: 'ZZ' }, 400, 'body.country'],
    ['POST', '/v1/trunks', { ...trunk, caller_id: 'to' }, 400, 'body.caller_id'],
    ['POST', '/v1/trunks', { ...trunk, codecs: ['G729'] }, 400, 'body.codecs.0'],
    ['GET', '/v1/connections/none', undefined, 404, 'none'],
    [
      'POST',
      '/v1/trunks',
      { ...trunk, routes: [{ prefix: '+1' }, { prefix: '1' }] },
      400,
      'body.routes.1.prefix',
    ],
    ['POST', '/v1/trunks', { ...trunk, source_networks: ['10.0.0.1'] }, 400, 'body.source_networks.0'],
    ['POST', '/v1/dial-permissions', { prefix: '44', allow: true }, 400, 'body.prefix'],
    ['POST', '/v1/dial-permissions', { prefix: '+44' }, 400, 'body.allow'],
    ['GET', '/v1/dial-route?to=5558881188', undefined, 400, '5558881188'],
    ['GET', '/v1/dial-route?to=sip:bob@example.com', undefined, 403, 'sip:example.com'],
  ];
  for (const [method, path, body, status, where] of wrong)
    test(`${method} ${path} ${JSON.stringify(body) ?? ''}: ${where}`, async () => {
      const answer =
        body === undefined ? await http.get<ErrorBody>(path) : await http.json<ErrorBody>(method, path, body);
      assert.deepEqual(
        [answer.status, answer.body.error?.where],
        [status, where],
        JSON.stringify(answer.body),
      );
    });

  test('an IPv6 peer; a trunk is never asked for its password again', async () => {
    const given = {
      name: 'six',
      host: '2001:db8::1',
      port: 5061,
      transport: 'tcp',
      username: 'u',
      password: 'p4ss',
    };
    const { status, body } = await http.json<{ trunk_id: string }>('POST', '/v1/trunks', given);
    assert.equal(status, 201, JSON.stringify(body));
    const read = await http.get<Record<string, unknown>>(`/v1/trunks/${body.trunk_id}`);
    assert.deepEqual(read.body, body);
    assert.doesNotMatch(JSON.stringify(read.body), /p4ss|password/);
    assert.equal((await http.delete(`/v1/trunks/${body.trunk_id}`)).status, 204);
    assert.equal((await http.delete(`/v1/trunks/${body.trunk_id}`)).status, 404);
  });

  test('a form is read wherever JSON is, within bounds', async () => {
    const many = Array.from({ length: 1001 }, (_, index): [string, string] => [`f${index}`, '']);
    const { status, body } = await http.form<ErrorBody>('POST', '/v1/dial-permissions', many);
    assert.deepEqual([status, body.error.code], [400, 'REQUEST_INVALID']);
  });
});
