import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { FakeClock } from '../clock.ts';
import { AudioDecoder } from '../playback/audio-decoder.ts';
import { tone, toneMp3, tonePurity, toneWav } from '../playback/test-audio.ts';
import { Secret } from '../secret.ts';
import { UrlEngine, type UrlEngineOptions } from './url-engine.ts';

const never = new AbortController().signal;

let server: Server;
let base: string;
let answer: RequestListener;
let received: { request: IncomingMessage; body: string }[];
let clock: FakeClock;
let decoder: AudioDecoder;
const engines: UrlEngine[] = [];

before(() => {
  decoder = new AudioDecoder({ clock: new FakeClock(), threads: 1 });
});
after(() => decoder.close());

beforeEach(async () => {
  received = [];
  server = createServer(async (request, response) => {
    received.push({ request, body: await text(request) });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  clock = new FakeClock();
});

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(clock.pendingTimers, 0);
});

function engineWith(options: Partial<UrlEngineOptions> = {}): UrlEngine {
  const engine = new UrlEngine({
    url: base,
    key: new Secret('sk-1'),
    model: 'tts-1',
    voice: 'alloy',
    format: 'wav',
    timeoutMs: 5000,
    clock,
    decoder,
    ...options,
  });
  engines.push(engine);
  return engine;
}

const request = { text: 'Grüß Gott', voice: 'nova', locale: undefined, rateHz: 8000 } as const;
const speak = (options?: Partial<UrlEngineOptions>) => engineWith(options).synthesize(request, never);

describe('a server with the interface of OpenAI', () => {
  test('gets model, input, voice and format, and the key', async () => {
    answer = (_request, response) =>
      response.setHeader('content-type', 'audio/wav').end(toneWav(2400, 24_000));
    const { samples } = await speak();
    assert.equal(samples.length, 800);
    const [got] = received;
    assert.equal(`${got?.request.method} ${got?.request.url}`, 'POST /v1/audio/speech');
    assert.equal(got?.request.headers.authorization, 'Bearer sk-1');
    assert.equal(got?.request.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(got?.body ?? ''), {
      model: 'tts-1',
      input: 'Grüß Gott',
      voice: 'nova',
      response_format: 'wav',
    });
  });

  test('is found under its base, its version or its whole path, with and without a key', async () => {
    answer = (_request, response) => response.end(toneWav(10, 8000));
    for (const path of ['', '/', '/v1', '/v1/', '/v1/audio/speech', '/tts/v2', '/proxy?team=a'])
      await speak({ url: base + path, key: undefined });
    assert.deepEqual(
      received.map(({ request: { url } }) => url),
      [...Array(5).fill('/v1/audio/speech'), '/tts/v2/audio/speech', '/proxy/v1/audio/speech?team=a'],
    );
    assert.equal(received[0]?.request.headers.authorization, undefined);
  });

  test('may stream a file whose header knows no length', async () => {
    const wav = toneWav(8000, 8000);
    wav.writeUInt32LE(0xffff_ffff, 4);
    wav.writeUInt32LE(0xffff_ffff, 40);
    answer = (_request, response) => {
      response.write(wav.subarray(0, 1000));
      response.end(wav.subarray(1000));
    };
    assert.deepEqual((await speak()).samples, tone(8000, 8000));
  });

  test('may answer raw samples, when asked for them and by their type, and MP3 all the same', async () => {
    const raw = Buffer.from(tone(24_000, 24_000).buffer);
    answer = (_request, response) => response.end(raw);
    const { samples } = await speak({ format: 'pcm' });
    assert.equal(samples.length, 8000);
    assert.ok(tonePurity(samples, 8000) > 0.999);
    assert.equal(JSON.parse(received[0]?.body ?? '').response_format, 'pcm');
    answer = (_request, response) => response.setHeader('content-type', 'audio/L16; rate=48000').end(raw);
    assert.equal((await speak()).samples.length, 4000);
    const mp3 = await toneMp3(16_000, 16_000);
    answer = (_request, response) => response.setHeader('content-type', 'audio/mpeg').end(mp3);
    assert.equal((await speak()).samples.length, 8000);
  });
});

describe('a server that does not do its part', () => {
  test('an error, a redirect, a web page, nothing, no server', async () => {
    answer = (_request, response) => response.writeHead(401).end('{"error":{"message":"sk-1 is wrong"}}');
    await assert.rejects(speak(), {
      code: 'SPEECH_FAILED',
      message: `speech.url: POST ${base}/v1/audio/speech: answered 401`,
    });
    answer = (_request, response) => response.writeHead(307, { location: '/' }).end();
    await assert.rejects(speak(), { code: 'SPEECH_FAILED', message: /a redirect/ });
    answer = (_request, response) => response.end('<html>');
    await assert.rejects(speak(), { code: 'SPEECH_FAILED', message: /HTML/ });
    answer = (_request, response) => response.end();
    await assert.rejects(speak(), { code: 'SPEECH_FAILED', message: /empty/ });
    await assert.rejects(speak({ url: 'http://127.0.0.1:1' }), {
      code: 'SPEECH_FAILED',
      message: /ECONNREFUSED/,
    });
  });

  test('an answer that never comes or never ends', async () => {
    answer = () => clock.advanceMs(5000);
    await assert.rejects(speak(), { code: 'SPEECH_FAILED', message: /within 5000 ms/ });
    answer = (_request, response) => {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1_000_000)));
      };
      response.on('drain', pour);
      pour();
    };
    await assert.rejects(speak(), { code: 'SPEECH_FAILED', message: /longer than/ });
  });

  test('the caller hangs up', async () => {
    const giveUp = new AbortController();
    answer = () => giveUp.abort(new Error('hung up'));
    await assert.rejects(engineWith().synthesize(request, giveUp.signal), { message: 'hung up' });
  });
});

test('the key shows in no error and no print', async () => {
  answer = (_request, response) => response.writeHead(500).end();
  const engine = engineWith({ url: base.replace('//', '//user:hunter2@') });
  const error = await engine.synthesize(request, never).catch((cause: unknown) => cause);
  assert.doesNotMatch(inspect([error, engine], { depth: 9 }), /sk-1|hunter2/);
});
