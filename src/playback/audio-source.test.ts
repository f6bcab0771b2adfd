import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AddressGuard, loopbackNetworks } from '../callbacks/address-guard.ts';
import { CallbackClient } from '../callbacks/callback-client.ts';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { AudioDecoder } from './audio-decoder.ts';
import { AudioSource, type AudioSourceOptions } from './audio-source.ts';
import { level, tone, toneLevel, toneMp3, toneWav } from './test-audio.ts';

let server: Server;
let base: string;
let answer: RequestListener;
let received: IncomingMessage[];
let client: CallbackClient;
let source: AudioSource;
let clock: FakeClock;
let decoder: AudioDecoder;

before(() => {
  decoder = new AudioDecoder({ clock: new FakeClock(), threads: 1 });
});
after(() => decoder.close());

beforeEach(async () => {
  received = [];
  server = createServer((request, response) => {
    received.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  clock = new FakeClock();
  client = new CallbackClient({
    guard: new AddressGuard(loopbackNetworks),
    timeoutMs: 5000,
    maxBytes: 1000,
    clock,
  });
  source = sourceWith({});
});

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(clock.pendingTimers, 0);
});

function sourceWith(options: Partial<AudioSourceOptions>): AudioSource {
  return new AudioSource({ fetcher: client, decoder, clock, ...options });
}

const load = (path = '/a.wav', rateHz: 8000 | 16_000 | 48_000 = 8000) =>
  source.load({ url: base + path, rateHz });

describe('files', () => {
  test('WAV and MP3, whatever their name and type say', async () => {
    answer = (_request, response) =>
      response.setHeader('content-type', 'text/plain').end(toneWav(4000, 8000));
    assert.deepEqual(await load('/a.mp3'), { samples: tone(4000, 8000), rateHz: 8000 });
    const mp3 = await toneMp3(32_000, 16_000);
    answer = (_request, response) => response.setHeader('content-type', 'audio/wav').end(mp3);
    const { samples } = await load('/a.wav');
    assert.equal(samples.length, 16_000);
    assert.ok(level(samples) > 0.9 * toneLevel);
  });

  test('50 MB', async () => {
    const samples = 24_900_000;
    const file = Buffer.concat([toneWav(0, 48_000), Buffer.alloc(2 * samples)]);
    file.writeUInt32LE(2 * samples, 40);
    file.writeInt16LE(1234, file.length - 2);
    answer = (_request, response) => response.end(file);
    const audio = await load('/', 48_000);
    assert.equal(audio.samples.length, samples);
    assert.equal(audio.samples.at(-1), 1234);
  });

  test('a hundred who play the same cause one download', async () => {
    answer = (_request, response) => response.end(toneWav(100, 8000));
    const all = await Promise.all(Array.from({ length: 100 }, () => load()));
    assert.equal(received.length, 1);
    assert.equal(new Set(all.map(({ samples }) => samples)).size, 1);
  });
});

describe('errors', () => {
  test('404, a redirect, a web page, nothing at all, a URL that is none', async () => {
    answer = (_request, response) => response.writeHead(404).end('not here');
    await assert.rejects(load(), { code: 'AUDIO_UNREACHABLE', message: /answered 404/ });
    answer = (_request, response) => response.writeHead(301, { location: '/b.wav' }).end();
    await assert.rejects(load(), { code: 'AUDIO_UNREACHABLE', message: /a redirect/ });
    answer = (_request, response) => response.end('<html><body>Sign in</body></html>');
    await assert.rejects(load(), { code: 'AUDIO_INVALID', message: /HTML/ });
    answer = (_request, response) => response.end();
    await assert.rejects(load(), { code: 'AUDIO_INVALID', message: /empty/ });
    await assert.rejects(source.load({ url: 'data:audio/wav,x', rateHz: 8000 }), { code: 'REQUEST_INVALID' });
    await assert.rejects(source.load({ url: 'http://169.254.169.254/', rateHz: 8000 }), {
      code: 'CALLBACK_FORBIDDEN',
    });
  });

  test('an endless stream of good audio', async () => {
    const mp3 = await toneMp3(80_000, 8000);
    answer = (_request, response) => {
      const pour = () => {
        while (!response.destroyed && response.write(mp3));
      };
      response.on('drain', pour);
      pour();
    };
    await assert.rejects(load('/radio'), { code: 'AUDIO_TOO_LONG', message: /longer than 50000000 bytes/ });
  });

  test('a file that is short in bytes and long in time', async () => {
    source = sourceWith({ limits: { maxSeconds: 5 } });
    const mp3 = await toneMp3(41_000, 8000);
    answer = (_request, response) => response.end(mp3);
    await assert.rejects(load(), { code: 'AUDIO_TOO_LONG' });
  });

  test('an answer that never comes', async () => {
    answer = () => clock.advanceMs(30_000);
    await assert.rejects(load(), { code: 'AUDIO_UNREACHABLE', message: /within 30000 ms/ });
  });

  test('the caller hangs up', async () => {
    const giveUp = new AbortController();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on('close', resolve);
      giveUp.abort(new Error('hung up'));
    };
    await assert.rejects(source.load({ url: base, rateHz: 8000, signal: giveUp.signal }), {
      message: 'hung up',
    });
    await closed;
  });
});

describe('memory', () => {
  test('of all that is loaded at once the largest gives way, and what is small is played', async () => {
    source = sourceWith({ limits: { maxBytes: 200_000, maxTotalBytes: 500_000 } });
    const [large, small] = [toneWav(90_000, 8000), toneWav(4000, 8000)];
    answer = (request, response) => {
      if (request.url === '/small') response.end(small);
      else response.write(large.subarray(0, 170_000));
    };
    const giveUp = new AbortController();
    const all = Array.from({ length: 30 }, (_, index) =>
      source.load({ url: `${base}/${index}`, rateHz: 8000, signal: giveUp.signal }).then(
        () => 'played',
        (error: unknown) => (error instanceof CallreelError ? error.code : 'hung up'),
      ),
    );
    const givenUp: string[] = [];
    for (const one of all) void one.then((outcome) => givenUp.push(outcome));
    while (givenUp.length < 28) await setImmediate();
    assert.deepEqual(await load('/small'), { samples: tone(4000, 8000), rateHz: 8000 });
    assert.deepEqual(new Set(givenUp), new Set(['AUDIO_EXHAUSTED']));
    giveUp.abort();
    const outcomes = await Promise.all(all);
    assert.equal(outcomes.filter((outcome) => outcome === 'hung up').length, 2);
  });

  test('one file of the greatest size is played whatever the whole is set to', async () => {
    source = sourceWith({ limits: { maxBytes: 200_000, maxTotalBytes: 1024 } });
    const file = toneWav(99_000, 8000);
    answer = (_request, response) => response.end(file);
    for (let round = 0; round < 3; round++) assert.equal((await load(`/${round}`)).samples.length, 99_000);
  });
});

describe('cache', () => {
  test('nothing is kept that the server did not allow to keep', async () => {
    answer = (_request, response) => response.end(toneWav(100, 8000));
    await load();
    await load();
    assert.equal(received.length, 2);
  });

  test('for max-age it is not asked for again, at that rate', async () => {
    answer = (_request, response) =>
      response.setHeader('cache-control', 'max-age=60').end(toneWav(800, 8000));
    const first = await load();
    clock.advanceMs(59_999);
    assert.equal((await load()).samples, first.samples);
    assert.equal(received.length, 1);
    assert.equal((await load('/a.wav', 16_000)).samples.length, 1600);
    assert.equal(received.length, 2);
    clock.advanceMs(1);
    await load();
    assert.equal(received.length, 3);
  });

  test('with an entity tag it is asked whether it changed', async () => {
    let etag = '"1"';
    answer = (request, response) => {
      response.setHeader('etag', etag);
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
      else response.end(toneWav(etag === '"1"' ? 100 : 200, 8000));
    };
    const first = await load();
    const second = await load();
    assert.equal(received[1]?.headers['if-none-match'], '"1"');
    assert.equal(second.samples, first.samples);
    etag = '"2"';
    assert.equal((await load()).samples.length, 200);
    assert.equal((await load()).samples.length, 200);
    assert.equal(received[3]?.headers['if-none-match'], '"2"');
  });

  test('an error is not kept, and what was kept before stays for later', async () => {
    answer = (_request, response) => response.setHeader('etag', '"1"').end(toneWav(100, 8000));
    await load();
    answer = (_request, response) => response.writeHead(503).end();
    await assert.rejects(load(), { code: 'AUDIO_UNREACHABLE' });
    answer = (_request, response) => response.writeHead(304).end();
    assert.equal((await load()).samples.length, 100);
  });
});

test('what this server serves itself is read without a request', async () => {
  answer = (_request, response) => response.end(toneWav(100, 8000));
  source = sourceWith({
    readOwn: async (url) => (url.endsWith('/own') ? new Uint8Array(toneWav(300, 8000)) : undefined),
  });
  assert.equal((await load('/own')).samples.length, 300);
  assert.equal(received.length, 0);
  assert.equal((await load('/other')).samples.length, 100);
});
