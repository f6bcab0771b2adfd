import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { AddressGuard, loopbackNetworks, type Resolver } from './address-guard.ts';
import { CallbackClient } from './callback-client.ts';

let server: Server;
let base: string;
let answer: RequestListener;
let received: { request: IncomingMessage; body: string }[];
let clock: FakeClock;
const clients: CallbackClient[] = [];

beforeEach(async () => {
  received = [];
  answer = (_request, response) => response.end();
  server = createServer(async (request, response) => {
    received.push({ request, body: await text(request) });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  clock = new FakeClock();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function makeClient(guard = new AddressGuard(loopbackNetworks)): CallbackClient {
  const client = new CallbackClient({ guard, timeoutMs: 5000, maxBytes: 1000, clock });
  clients.push(client);
  return client;
}

describe('answers', () => {
  test('a JSON document goes out and one comes back', async () => {
    answer = (_request, response) => response.setHeader('content-type', 'text/html').end('{"routine": []}');
    const routine = await makeClient().postJson(`${base}/incoming?key=1`, { account_id: 'acc', name: 'é' });
    assert.deepEqual(routine, { routine: [] });
    assert.equal(received[0]?.request.method, 'POST');
    assert.equal(received[0]?.request.url, '/incoming?key=1');
    assert.equal(received[0]?.request.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(received[0]?.body ?? ''), { account_id: 'acc', name: 'é' });
    assert.equal(clock.pendingTimers, 0);
  });

  test('an empty answer is undefined', async () => {
    assert.equal(await makeClient().postJson(base, {}), undefined);
  });

  test('user and password of a URL become Basic authentication and are not shown', async () => {
    answer = (_request, response) => response.writeHead(500).end('broken');
    const url = base.replace('//', '//ann:p%40ss@');
    await assert.rejects(makeClient().postJson(`${url}/a?secret=1`, {}), {
      code: 'CALLBACK_FAILED',
      message: `POST ${base}/a: answered 500: broken`,
    });
    const expected = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
    assert.equal(received[0]?.request.headers.authorization, expected);
  });

  test('a redirect is not followed', async () => {
    answer = (_request, response) => response.writeHead(302, { location: `${base}/other` }).end();
    await assert.rejects(makeClient().postJson(base, {}), {
      code: 'CALLBACK_FAILED',
      message: /answered 302; redirects are not followed/,
    });
    assert.equal(received.length, 1);
  });

  test('what is not JSON is shown in the error', async () => {
    answer = (_request, response) => response.end('<html>');
    await assert.rejects(makeClient().postJson(base, {}), {
      code: 'CALLBACK_FAILED',
      message: /the answer is not JSON: <html>/,
    });
  });
});

describe('limits', () => {
  test('an answer that never comes', async () => {
    answer = () => clock.advanceMs(5000);
    await assert.rejects(makeClient().postJson(base, {}), {
      code: 'CALLBACK_FAILED',
      message: /no complete answer within 5000 ms/,
    });
  });

  test('a body that drips for ever', async () => {
    answer = (_request, response) => {
      response.write('{');
      response.on('drain', () => {});
      setImmediate(function drip() {
        if (response.destroyed) return;
        response.write(' ');
        clock.advanceMs(1000);
        setImmediate(drip);
      });
    };
    await assert.rejects(makeClient().postJson(base, {}), {
      code: 'CALLBACK_FAILED',
      message: /no complete answer within 5000 ms/,
    });
  });

  test('an answer that is too long, announced or not', async () => {
    const client = makeClient();
    answer = (_request, response) => response.end('x'.repeat(1001));
    await assert.rejects(client.postJson(base, {}), { message: /longer than 1000 bytes/ });
    answer = (_request, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(600));
    };
    await assert.rejects(client.postJson(base, {}), { message: /longer than 1000 bytes/ });
  });

  test('nobody listens, and a peer that does not speak HTTP', async () => {
    const sockets: Socket[] = [];
    const odd = createTcpServer((socket) => {
      sockets.push(socket);
      socket.end('SSH-2.0-OpenSSH\r\n');
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const { port } = odd.address() as AddressInfo;
    const client = makeClient();
    await assert.rejects(client.postJson(`http://127.0.0.1:${port}/`, {}), { code: 'CALLBACK_FAILED' });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => odd.close(resolve));
    await assert.rejects(client.postJson(`http://127.0.0.1:${port}/`, {}), {
      code: 'CALLBACK_FAILED',
      message: /ECONNREFUSED/,
    });
  });

  test('the caller may give up', async () => {
    const giveUp = new AbortController();
    answer = () => giveUp.abort();
    const request = { url: base, method: 'GET' as const, signal: giveUp.signal };
    await assert.rejects(makeClient().request(request), { code: 'CALLBACK_FAILED' });
  });
});

describe('guard', () => {
  test('a private address is not even connected to', async () => {
    const client = makeClient(new AddressGuard([]));
    await assert.rejects(client.postJson(base, {}), { code: 'CALLBACK_FORBIDDEN' });
    await assert.rejects(client.postJson(base.replace('127.0.0.1', 'localhost'), {}), {
      code: 'CALLBACK_FORBIDDEN',
    });
    assert.equal(received.length, 0);
  });

  test('a name that turns private at its second look-up is refused then (rebinding)', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const resolve: Resolver = (_hostname, _options, callback) =>
      callback(null, [{ address: answers.shift() ?? '', family: 4 }]);
    const url = base.replace('127.0.0.1', 'rebind.example');
    answer = (_request, response) => response.setHeader('connection', 'close').end();
    const client = makeClient(new AddressGuard(loopbackNetworks, resolve));
    await client.postJson(url, {});
    await assert.rejects(client.postJson(url, {}), { code: 'CALLBACK_FORBIDDEN' });
    assert.equal(received.length, 1);
  });

  test('only http and https', async () => {
    for (const url of [
      'file:///etc/passwd',
      'ftp://host/',
      'gopher://127.0.0.1/',
      '/relative',
      'nonsense',
      '',
    ])
      await assert.rejects(makeClient().postJson(url, {}), { code: 'REQUEST_INVALID' });
  });
});
