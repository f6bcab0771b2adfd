import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Clock, FakeClock, systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import type { Recognition } from './recognize-piece.ts';
import { type ServerRecognizerOptions, TranscriptionServer } from './server-recognizer.ts';
import { isRetriable } from './speech-to-text.ts';
import { noise } from './test-noise.ts';
import {
  type Answer,
  likeSpeaches,
  onlyJson,
  type ReceivedForm,
  startServer,
  type TestTranscriptionServer,
} from './test-transcription-server.ts';

const { signal } = new AbortController();
const timeoutMs = 60_000;
const piece = noise({ samples: 40_000, seed: 1 }) as Int16Array<ArrayBuffer>;

interface Attempt {
  locale?: string;
  options?: Partial<ServerRecognizerOptions>;
  isUrgent?: boolean;
  times?: number;
}

/** What the client makes of a server's answers, and what the server got. */
async function ask(
  answer: (form: ReceivedForm, count: number) => Answer | undefined,
  { locale = 'en-US', options = {}, isUrgent = false, times = 1 }: Attempt = {},
): Promise<{ recognitions: Recognition[]; received: ReceivedForm[] }> {
  const server: TestTranscriptionServer = await startServer(answer);
  const client = new TranscriptionServer({
    url: server.url,
    model: 'Systran/faster-whisper-small',
    timeoutMs,
    clock: systemClock,
    ...options,
  });
  try {
    const recognizer = client.recognizer(locale, signal, isUrgent);
    const recognitions: Recognition[] = [];
    for (let i = 0; i < times; i++) recognitions.push(await recognizer.recognize(piece));
    return { recognitions, received: server.received };
  } finally {
    await client.close();
    await server.close();
  }
}

describe('A server like speaches', () => {
  test('gets the audio as a WAV file and what is wanted of it', async () => {
    const options = { key: new Secret('sk-1') };
    const { received } = await ask(likeSpeaches('hola', 'es'), { options, locale: 'es-US' });
    assert.deepEqual(received, [
      {
        path: '/v1/audio/transcriptions',
        authorization: 'Bearer sk-1',
        fields: {
          model: ['Systran/faster-whisper-small'],
          language: ['es'],
          response_format: ['verbose_json'],
          temperature: ['0'],
          'timestamp_granularities[]': ['segment', 'word'],
        },
        rateHz: 16_000,
        seconds: 2.5,
      },
    ]);
  });

  test('gives times of words, and how sure it is', async () => {
    const { recognitions } = await ask(likeSpeaches('one two three four'));
    assert.deepEqual(recognitions, [
      {
        text: 'one two three four',
        parts: [
          {
            text: ' one two three four',
            fromSample: 4800,
            toSample: 36_800,
            confidence: Math.exp(-0.25),
            words: ['one', 'two', 'three', 'four'].map((text, i) => ({
              text,
              fromSample: 4800 + i * 8000,
              toSample: 12_800 + i * 8000,
              confidence: 0.75,
            })),
          },
        ],
      },
    ]);
  });

  test('gives times of segments where it has none of words', async () => {
    const { recognitions } = await ask(() => ({
      body: {
        text: 'Good morning. How are you?',
        language: 'english',
        segments: [
          { start: 0.3, end: 1, text: 'Good morning.' },
          { start: 1.2, end: 2.2, text: 'How are you?' },
        ],
      },
    }));
    assert.deepEqual(recognitions[0]?.parts, [
      { text: 'Good morning.', fromSample: 4800, toSample: 16_000 },
      { text: 'How are you?', fromSample: 19_200, toSample: 35_200 },
    ]);
  });

  test('gives times of words without segments, as OpenAI does where only words were asked for', async () => {
    const words = [
      { word: 'good', start: 0.5, end: 0.75 },
      { word: 'morning', start: 1, end: 1.5 },
    ];
    const { recognitions } = await ask(() => ({ body: { text: 'Good morning.', words } }));
    assert.deepEqual(recognitions[0]?.parts[0]?.fromSample, 8000);
    assert.deepEqual(recognitions[0]?.parts[0]?.toSample, 24_000);
    assert.equal(recognitions[0]?.parts[0]?.text, 'Good morning.');
    const segments = [{ text: 'Good morning.' }];
    const untimed = await ask(() => ({ body: { text: 'Good morning.', words, segments } }));
    assert.deepEqual(untimed.recognitions, recognitions);
  });

  test('gives times of segments where it refuses to tell those of words', async () => {
    const refusal = { status: 400, body: { error: { message: 'timestamp_granularities[]: no words' } } };
    const { recognitions, received } = await ask(
      (form) =>
        form.fields['timestamp_granularities[]']?.includes('word')
          ? refusal
          : likeSpeaches('good morning')(form),
      { times: 2 },
    );
    for (const { parts } of recognitions)
      assert.deepEqual(parts, [
        { text: ' good morning', fromSample: 0, toSample: 40_000, confidence: Math.exp(-0.25) },
      ]);
    assert.equal(received.length, 3);
  });

  test('that heard another language gives no text in it', async () => {
    for (const heard of ['en', 'english'])
      await assert.rejects(ask(likeSpeaches('good morning', heard), { locale: 'es-ES' }), {
        code: 'TRANSCRIPTION_LOCALE_UNSUPPORTED',
        message: new RegExp(`asked for es-ES and heard ${heard}`),
      });
    const { recognitions } = await ask(likeSpeaches('', 'en'), { locale: 'es-ES' });
    assert.equal(recognitions[0]?.text, '');
  });
});

describe('A server that knows only json', () => {
  test('is asked for it when it refuses verbose_json, and from then on', async () => {
    const { recognitions, received } = await ask(onlyJson('hello there'), { times: 3 });
    const hello = { text: 'hello there', parts: [{ text: 'hello there' }] };
    assert.deepEqual(recognitions, [hello, hello, hello]);
    assert.deepEqual(
      received.map(({ fields }) => fields.response_format?.[0]),
      ['verbose_json', 'verbose_json', 'json', 'json', 'json'],
    );
    assert.deepEqual(
      received.slice(0, 3).map(({ fields }) => fields['timestamp_granularities[]']),
      [['segment', 'word'], ['segment'], undefined],
    );
  });

  test('gives text where it passes over what it does not know', async () => {
    const { recognitions, received } = await ask(() => ({
      body: { text: 'hello there', usage: { type: 'tokens' } },
    }));
    assert.deepEqual(recognitions, [{ text: 'hello there', parts: [{ text: 'hello there' }] }]);
    assert.equal(received.length, 1);
  });
});

describe('A server', () => {
  test('may be named with its version, or by the whole path', async () => {
    const server = await startServer(() => ({ body: { text: '' } }));
    const paths = ['', '/', '/v1', '/v1/', '/openai/v1', '/v1/audio/transcriptions', '/stt'];
    for (const path of paths) {
      const options = { url: server.url + path, model: 'm', timeoutMs: 60_000, clock: systemClock };
      const client = new TranscriptionServer(options);
      await client.recognizer('en-US', signal).recognize(piece);
      await client.close();
    }
    await server.close();
    assert.deepEqual(
      server.received.map(({ path }) => path.replace(/audio\/transcriptions$/, '')),
      ['/v1/', '/v1/', '/v1/', '/v1/', '/openai/v1/', '/v1/', '/stt/v1/'],
    );
  });

  for (const [status, code, tries] of [
    [401, 'TRANSCRIPTION_REFUSED', 1],
    [403, 'TRANSCRIPTION_REFUSED', 1],
    [404, 'TRANSCRIPTION_REFUSED', 1],
    [400, 'TRANSCRIPTION_REFUSED', 3],
    [302, 'TRANSCRIPTION_REFUSED', 1],
    [429, 'TRANSCRIPTION_UNAVAILABLE', 1],
    [500, 'TRANSCRIPTION_UNAVAILABLE', 3],
    [503, 'TRANSCRIPTION_UNAVAILABLE', 1],
  ] as const)
    test(`that answers ${status} is reported as ${code}`, async () => {
      let count = 0;
      const work = ask(
        () => ({ status, body: { error: { message: `number ${++count}, Bearer sk-secret` } } }),
        {
          options: { key: new Secret('sk-secret') },
        },
      );
      await assert.rejects(work, (error: Error) => {
        assert.equal((error as { code?: unknown }).code, code);
        assert.equal(isRetriable(error), code === 'TRANSCRIPTION_UNAVAILABLE');
        assert.match(error.message, new RegExp(`answered ${status}: .*number`));
        assert.doesNotMatch(error.message, /sk-secret/);
        return true;
      });
      assert.equal(count, tries);
    });

  for (const [what, body] of [
    ['what is no JSON', 'Internal error'],
    ['JSON without text', { segments: [] }],
    ['endless text', { text: 'x'.repeat(5_000_000) }],
  ] as const)
    test(`that answers 200 with ${what} may do better another time`, async () => {
      await assert.rejects(
        ask(() => ({ body })),
        { code: 'TRANSCRIPTION_UNAVAILABLE' },
      );
    });

  test('that limits how often it is asked is asked again when it says', async () => {
    const waits: number[] = [];
    const clock: Clock = {
      ...systemClock,
      unixMs: () => Date.UTC(2026, 10, 6, 8, 49, 37),
      after: (delayMs, action) => {
        if (delayMs !== timeoutMs) waits.push(delayMs);
        return systemClock.after(delayMs === timeoutMs ? delayMs : 0, action);
      },
    };
    const limits = ['2', '0', 'Fri, 06 Nov 2026 08:49:07 GMT', 'Fri, 06 Nov 2026 08:50:07 GMT', '59'];
    const busy = (retryAfter: string, status = 429): Answer => ({
      ...{ status, headers: { 'retry-after': retryAfter }, body: 'busy' },
    });
    const { recognitions } = await ask(
      (form, count) =>
        count > limits.length
          ? likeSpeaches('good morning')(form)
          : busy(limits[count - 1]!, count % 2 === 0 ? 429 : 503),
      { options: { clock } },
    );
    assert.equal(recognitions[0]?.text, 'good morning');
    for (const [answer, tries, isUrgent] of [
      [busy('61'), 1],
      [busy('Fri, 06 Nov 2026 08:50:38 GMT'), 1],
      [busy('soon'), 1],
      [busy('1', 500), 3],
      [busy('1', 503), 11],
      [busy('1', 503), 1, true],
    ] as const) {
      let count = 0;
      const work = ask(() => ({ ...answer, n: count++ }), { options: { clock }, isUrgent });
      await assert.rejects(work, { code: 'TRANSCRIPTION_UNAVAILABLE' });
      assert.equal(count, tries, JSON.stringify(answer));
    }
    assert.deepEqual(waits, [2000, 0, 0, 30_000, 59_000, ...Array(10).fill(1000)]);
  });

  test('may call its answer what it likes, and give it in parts', async () => {
    const [before, after] = [
      Buffer.from('{"text":"caf\xe9"}').subarray(0, 13),
      Buffer.from('{"text":"caf\xe9"}').subarray(13),
    ];
    const { recognitions } = await ask(() => ({
      headers: { 'content-type': 'text/html' },
      parts: [before, after],
    }));
    assert.equal(recognitions[0]?.text, 'caf\xe9');
  });

  test('that breaks off, or never comes to its end, may do better another time', async () => {
    await assert.rejects(
      ask(() => ({ body: '{"text":"hel', isCutOff: true })),
      { code: 'TRANSCRIPTION_UNAVAILABLE' },
    );
    await assert.rejects(
      ask(() => ({ headers: { 'content-length': '100' }, body: '{"text":"hel' }), {
        options: { timeoutMs: 500 },
      }),
      { code: 'TRANSCRIPTION_UNAVAILABLE', message: /no answer within 500 ms/ },
    );
  });

  test('that names another one is not followed there, nor is the key', async () => {
    const other = await startServer(() => ({ body: { text: 'hello' } }));
    for (const status of [301, 302, 307, 308]) {
      const headers = { location: `${other.url}/v1/audio/transcriptions` };
      const options = { key: new Secret('sk-1') };
      await assert.rejects(
        ask(() => ({ status, headers, body: '' }), { options }),
        { code: 'TRANSCRIPTION_REFUSED' },
      );
    }
    await other.close();
    assert.deepEqual(other.received, []);
  });

  test('whose trouble passes is asked for times again in the next channel', async () => {
    const server = await startServer((form, count) =>
      count < 3 ? { status: 500, body: 'out of memory' } : likeSpeaches('hello')(form),
    );
    const client = new TranscriptionServer({ url: server.url, model: 'm', timeoutMs, clock: systemClock });
    try {
      for (const wanted of ['json', 'verbose_json']) {
        const recognizer = client.recognizer('en-US', signal);
        for (let i = 0; i < 2; i++) await recognizer.recognize(piece);
        assert.deepEqual(server.received.at(-1)?.fields.response_format, [wanted]);
      }
      assert.equal(server.received.length, 6);
    } finally {
      await client.close();
      await server.close();
    }
  });

  test('whose times and figures are nonsense still gives its text', async () => {
    const { recognitions } = await ask(() => ({
      body: {
        text: 'hello',
        language: 7,
        segments: [{ start: -1, end: 'x', text: 5 }],
        words: 'none',
      },
    }));
    const segments = [{ start: 0, end: 1, text: ' ' }];
    const words = [{ word: 'x'.repeat(1001), start: 0, end: 1 }];
    const blank = await ask(() => ({ body: { text: 'hello', segments, words } }));
    for (const heard of [...recognitions, ...blank.recognitions])
      assert.deepEqual(heard, { text: 'hello', parts: [{ text: 'hello' }] });
  });

  test('that is not there, or never answers, may be another time', async () => {
    const gone = await startServer(() => undefined);
    await gone.close();
    await assert.rejects(
      ask(() => undefined, { options: { url: gone.url } }),
      {
        code: 'TRANSCRIPTION_UNAVAILABLE',
        message: /ECONNREFUSED/,
      },
    );
    const clock = new FakeClock();
    const silent = ask(
      () => {
        clock.advanceMs(60_000);
        return undefined;
      },
      { options: { clock } },
    );
    await assert.rejects(silent, { code: 'TRANSCRIPTION_UNAVAILABLE', message: /no answer within 60000 ms/ });
  });
});
