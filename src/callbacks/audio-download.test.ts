import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { AddressGuard, loopbackNetworks } from './address-guard.ts';
import type { AudioRequest, AudioResponse } from './audio-download.ts';
import { CallbackClient } from './callback-client.ts';

const maxBytes = 1_000_000;

let server: Server;
let base: string;
let answer: RequestListener;
let received: { request: IncomingMessage; body: string }[];
let connections: number;
let clock: FakeClock;
let client: CallbackClient;

beforeEach(async () => {
  received = [];
  connections = 0;
  server = createServer(async (request, response) => {
    received.push({ request, body: await text(request) });
    answer(request, response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  clock = new FakeClock();
  // An answer to a callback may have 10 bytes: audio has limits of its own.
  client = new CallbackClient({
    guard: new AddressGuard(loopbackNetworks),
    timeoutMs: 100,
    maxBytes: 10,
    clock,
  });
});

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(clock.pendingTimers, 0);
});

function fetchAudio(request: Partial<AudioRequest> = {}): Promise<AudioResponse> {
  return client.fetchAudio({ url: `${base}/a.wav?token=1`, maxBytes, timeoutMs: 5000, ...request });
}

describe('answers', () => {
  test('every byte arrives, with what the headers say', async () => {
    const file = Buffer.from(Array.from({ length: maxBytes }, (_, k) => (k * 7) % 256));
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', etag: '"a1"', 'cache-control': 'max-age=60' });
      response.write(file.subarray(0, 100));
      response.end(file.subarray(100));
    };
    const { body, ...head } = await fetchAudio({ headers: { accept: 'audio/*' } });
    assert.ok(file.equals(body));
    assert.deepEqual(head, {
      status: 200,
      contentType: 'audio/wav',
      etag: '"a1"',
      cacheControl: 'max-age=60',
    });
    assert.equal(received[0]?.request.url, '/a.wav?token=1');
    assert.equal(received[0]?.request.headers.accept, 'audio/*');
  });

  test('an empty file is a file', async () => {
    answer = (_request, response) => response.end();
    assert.equal((await fetchAudio()).body.length, 0);
  });

  test('304 is an answer to a condition only', async () => {
    answer = (_request, response) => response.writeHead(304).end();
    assert.equal((await fetchAudio({ headers: { 'if-none-match': '"a1"' } })).status, 304);
    await assert.rejects(fetchAudio(), { code: 'AUDIO_UNREACHABLE', message: /answered 304$/ });
  });

  test('a document goes out', async () => {
    answer = (_request, response) => response.end('RIFF');
    await fetchAudio({ method: 'POST', body: '{"input":"é"}', headers: { authorization: 'Bearer k' } });
    assert.equal(received[0]?.body, '{"input":"é"}');
    assert.equal(received[0]?.request.headers.authorization, 'Bearer k');
  });

  test('connections are used again', async () => {
    answer = (_request, response) => response.end('RIFF');
    for (let k = 0; k < 10; k++) await fetchAudio();
    assert.ok(connections < 5, `${connections} connections`);
  });
});

describe('refusals', () => {
  test('every status but 200, and no redirect is followed; the query is not shown', async () => {
    for (const [status, shown] of [
      [404, 'answered 404'],
      [500, 'answered 500'],
      [206, 'answered 206'],
      [302, 'answered 302, a redirect'],
    ] as const) {
      answer = (_request, response) => response.writeHead(status, { location: '/b.wav' }).end('no');
      await assert.rejects(fetchAudio(), {
        code: 'AUDIO_UNREACHABLE',
        message: `GET ${base}/a.wav: ${shown}`,
        where: `${base}/a.wav`,
      });
    }
    assert.equal(received.length, 4);
  });

  test('one byte too many, announced or not', async () => {
    answer = (_request, response) => response.end(Buffer.alloc(maxBytes + 1));
    await assert.rejects(fetchAudio(), { code: 'AUDIO_TOO_LONG' });
    answer = (_request, response) => {
      response.write(Buffer.alloc(10));
      response.end(Buffer.alloc(maxBytes));
    };
    await assert.rejects(fetchAudio(), { code: 'AUDIO_TOO_LONG', message: /longer than 1000000 bytes/ });
  });

  test('a stream without end ends at the limit, and so does its connection', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on('close', resolve);
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', pour);
      pour();
    };
    await assert.rejects(fetchAudio(), { code: 'AUDIO_TOO_LONG' });
    await closed;
  });

  test('an answer that never comes, and one that drips', async () => {
    answer = () => clock.advanceMs(5000);
    await assert.rejects(fetchAudio(), {
      code: 'AUDIO_UNREACHABLE',
      message: /no complete answer within 5000 ms/,
    });
    answer = (_request, response) => {
      setImmediate(function drip() {
        if (response.destroyed) return;
        response.write('R');
        clock.advanceMs(500);
        setImmediate(drip);
      });
    };
    await assert.rejects(fetchAudio(), {
      code: 'AUDIO_UNREACHABLE',
      message: /no complete answer within 5000 ms/,
    });
  });

  test('a file that is cut off is not a shorter file', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write(Buffer.alloc(100), () => response.destroy());
    };
    await assert.rejects(fetchAudio(), { code: 'AUDIO_UNREACHABLE' });
  });

  test('nobody listens; a private address; a URL that is none', async () => {
    await assert.rejects(fetchAudio({ url: 'http://127.0.0.1:1/' }), { code: 'AUDIO_UNREACHABLE' });
    await assert.rejects(fetchAudio({ url: 'http://10.0.0.1/' }), { code: 'CALLBACK_FORBIDDEN' });
    await assert.rejects(fetchAudio({ url: 'file:///etc/passwd' }), { code: 'REQUEST_INVALID' });
  });

  test('the caller gives up', async () => {
    const giveUp = new AbortController();
    answer = () => giveUp.abort(new Error('hung up'));
    await assert.rejects(fetchAudio({ signal: giveUp.signal }), { message: 'hung up' });
    await assert.rejects(fetchAudio({ signal: giveUp.signal }), { message: 'hung up' });
    assert.equal(received.length, 1);
  });
});
