import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { FakeClock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';
import { silentLogger } from '../../logger.ts';
import { Secret } from '../../secret.ts';
import { ownSecret } from './application.ts';
import { maxBodyBytes, SinchDoor } from './door.ts';
import type { SinchErrorBody } from './errors.ts';
import { maxAgeMs, signatureOf } from './signature.ts';

const nowUnixMs = Date.UTC(2026, 10, 21, 12);
const clock = new FakeClock({ unixMs: nowUnixMs });
const credentials = { accountId: 'account', authToken: new Secret('token') };
const secret = new Secret(Buffer.from('a secret of 20 bytes').toString('base64'));
const callbacks = { primary: undefined, fallback: undefined };
const known = new Map(
  [
    { key: 'app', accountId: 'account', secret, callbacks },
    { key: 'account', accountId: 'account', secret: ownSecret(credentials), callbacks },
  ].map((application) => [application.key, application]),
);
const applications = { find: async (key: string) => known.get(key) };

let app: FastifyInstance;
let base: string;

before(async () => {
  app = Fastify();
  app.register((inner, _options, done) => {
    const door = new SinchDoor(inner, { clock, log: silentLogger, credentials, applications });
    for (const method of ['GET', 'POST', 'DELETE'] as const)
      door.route(method, '/calling/v1/things/:id', async ({ application, isOwner, params, query, body }) => ({
        ...{ key: application.key, isOwner, params, query, body },
      }));
    door.route('PATCH', '/calling/v1/things/:id', async () => undefined);
    door.route('POST', '/calling/v1/refused', async () => {
      throw new CallreelError('NOT_FOUND', 'nothing of that name', { where: 'x' });
    });
    door.route('POST', '/calling/v1/broken', async () => {
      throw new Error('the password is 12345');
    });
    door.nothingElse('/calling/*');
    done();
  });
  base = await app.listen({ host: '127.0.0.1', port: 0 });
});
after(() => app.close());

interface Sent {
  method?: string;
  path?: string;
  /** What is signed, where that differs. */
  signedPath?: string;
  body?: string;
  signedBody?: string;
  key?: string;
  secret?: Secret;
  unixMs?: number;
}

async function signed(sent: Sent): Promise<{ status: number; body: unknown }> {
  const { method = 'POST', path = '/calling/v1/things/1', body = '{"a":1}', key = 'app' } = sent;
  const { signedPath = path, signedBody = body, unixMs = nowUnixMs } = sent;
  const timestamp = new Date(unixMs).toISOString();
  const contentType = 'application/json';
  const parts = { method, path: signedPath.split('?')[0]!, contentType, timestamp, body: signedBody };
  const signature = signatureOf(sent.secret ?? secret, parts);
  const headers = {
    'content-type': contentType,
    'x-timestamp': timestamp,
    authorization: `Application ${key}:${signature}`,
  };
  return await send(method, path, headers, body);
}

async function send(method: string, path: string, headers: Record<string, string>, body?: string) {
  const content = method === 'GET' || body === '' ? undefined : body;
  const response = await fetch(`${base}${path}`, { method, headers, body: content });
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  return { status: response.status, body: (await response.json()) as unknown };
}

function basic(pair: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** As status, code and message; the reference is there in any case. */
function refusal({ status, body }: { status: number; body: unknown }): [number, number, string] {
  const { errorCode, message, reference, ...rest } = body as SinchErrorBody;
  assert.deepEqual(rest, {});
  assert.match(reference, /^[0-9a-f]{16}$/);
  return [status, errorCode, message];
}

describe('who may come in', () => {
  it('a signed request, over its bytes and its path', async () => {
    const { status, body } = await signed({ path: '/calling/v1/things/7?page=2' });
    assert.equal(status, 200);
    const expected = {
      key: 'app',
      isOwner: false,
      params: { id: '7' },
      query: { page: '2' },
      body: { a: 1 },
    };
    assert.deepEqual(body, expected);
    assert.equal((await signed({ method: 'GET', body: '' })).status, 200);
    assert.equal((await signed({ method: 'DELETE', body: '' })).status, 200);
    assert.deepEqual(await signed({ method: 'PATCH' }), { status: 200, body: {} });
  });

  it('a path that was signed before it was percent-encoded', async () => {
    const encoded = { path: '/calling/v1/things/my%20room', signedPath: '/calling/v1/things/my room' };
    const { status, body } = await signed(encoded);
    assert.equal(status, 200);
    assert.deepEqual((body as { params: unknown }).params, { id: 'my room' });
  });

  it('Basic; the owner by the token as it is, and as base64', async () => {
    const path = '/calling/v1/things/1';
    for (const [pair, isOwner] of [
      [`app:${secret.reveal()}`, false],
      ['account:token', true],
      [`account:${ownSecret(credentials).reveal()}`, true],
    ] as const) {
      const { status, body } = await send('GET', path, basic(pair));
      assert.equal(status, 200, pair);
      assert.equal((body as { isOwner: boolean }).isOwner, isOwner);
    }
  });

  it('nobody else', async () => {
    const path = '/calling/v1/things/1';
    const wrong: [string, { status: number; body: unknown }][] = [
      ['no header', await send('GET', path, {})],
      ['wrong secret', await send('GET', path, basic('app:nonsense'))],
      ["another one's secret", await send('GET', path, basic('app:token'))],
      ['unknown', await send('GET', path, basic(`nobody:${secret.reveal()}`))],
      ['no secret', await send('GET', path, basic('app'))],
      ['unknown key', await signed({ key: 'nobody' })],
      ['signed with another secret', await signed({ secret: new Secret('bm9uc2Vuc2U=') })],
      ['another body', await signed({ body: '{"a":2}', signedBody: '{"a":1}' })],
      ['another path', await signed({ signedPath: '/calling/v1/things/2' })],
      ['long ago', await signed({ unixMs: nowUnixMs - maxAgeMs - 1000 })],
      ['of the future', await signed({ unixMs: nowUnixMs + maxAgeMs + 1000 })],
    ];
    for (const [what, answer] of wrong)
      assert.deepEqual(refusal(answer), [401, 40108, 'Invalid credentials'], what);
    assert.deepEqual(
      refusal(await send('GET', path, { authorization: 'Bearer x' })).slice(0, 2),
      [403, 40301],
    );
  });
});

describe('what can not be read', () => {
  it('is refused in the terms of the vendor', async () => {
    assert.deepEqual(refusal(await signed({ body: '{"a":' })), [400, 40003, 'The body is not JSON']);
    const large = await signed({ body: JSON.stringify('x'.repeat(maxBodyBytes)) });
    assert.deepEqual(refusal(large).slice(0, 2), [400, 40003]);
    assert.deepEqual(refusal(await signed({ path: '/calling/v1/things/a%00b' })).slice(0, 2), [404, 40400]);
    assert.deepEqual(refusal(await signed({ path: `/calling/v1/things/${'x'.repeat(1100)}` }))[1], 40400);
    assert.deepEqual(refusal(await signed({ path: '/calling/v1/nothing' })).slice(0, 2), [404, 40400]);
    assert.deepEqual(refusal(await signed({ method: 'PUT' })).slice(0, 2), [404, 40400]);
  });

  it('is ours: told by a code, and our own faults by nothing more', async () => {
    const path = '/calling/v1/refused';
    assert.deepEqual(refusal(await signed({ path })), [404, 40400, 'nothing of that name']);
    assert.deepEqual(refusal(await signed({ path: '/calling/v1/broken' })), [500, 50000, 'Internal error']);
  });
});
