import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../clock.ts';
import type { ChannelSpeech } from './speech-to-text.ts';
import { noise } from './test-noise.ts';
import {
  type Answer,
  likeSpeaches,
  onlyJson,
  type ReceivedForm,
  startServer,
} from './test-transcription-server.ts';
import { UrlSpeechToText } from './url-speech-to-text.ts';

const { signal } = new AbortController();

/** 30 s at 8 kHz: speech from 5 s to 7 s and from 20 s to 21 s. What is speech is told by its loudness here. */
function audio(): Int16Array {
  const samples = new Int16Array(240_000);
  samples.set(noise({ samples: 16_000, seed: 1, levelDbov: -20 }), 40_000);
  samples.set(noise({ samples: 8000, seed: 2, levelDbov: -20 }), 160_000);
  return samples;
}

async function transcribe(
  answer: (form: ReceivedForm) => Answer,
): Promise<{ speech: ChannelSpeech; received: ReceivedForm[] }> {
  const server = await startServer(answer);
  const engine = new UrlSpeechToText({
    url: server.url,
    model: 'whisper-1',
    timeoutMs: 60_000,
    clock: systemClock,
    languages: new Set(['en']),
    prepare: async () => ({ detectorFile: 'loudness' }),
    engine: {
      clock: systemClock,
      memoryLimitMb: 1536,
      niceness: 0,
      startTimeoutMs: 120_000,
      requestTimeoutMs: 120_000,
      idleMs: 60_000,
      script: new URL('./test-engine-process.ts', import.meta.url),
    },
  });
  try {
    const wish = { locale: 'en-US', signal };
    const speech = await engine.transcribe({ rateHz: 8000, chunks: [audio()] }, wish);
    return { speech, received: server.received };
  } finally {
    await engine.close();
    await server.close();
  }
}

function inSeconds({ utterances }: ChannelSpeech): [number, number, string][] {
  return utterances.map(({ fromSample, toSample, text }) => [
    Math.round(fromSample / 800) / 10,
    Math.round(toSample / 800) / 10,
    text,
  ]);
}

describe('A channel recognised by a server', () => {
  test('like speaches: only speech is sent, its words lie where they were spoken', async () => {
    const { speech, received } = await transcribe(likeSpeaches('hello there'));
    assert.equal(received.length, 2);
    assert.ok(received.every(({ seconds }) => seconds < 2.7));
    assert.deepEqual(inSeconds(speech), [
      [5, 7, 'hello there'],
      [20, 21, 'hello there'],
    ]);
    const [first, second] = speech.utterances[0]!.words!;
    assert.ok(Math.abs(first!.fromSample - 40_000) < 400, String(first!.fromSample));
    assert.ok(Math.abs(second!.fromSample - 48_000) < 400, String(second!.fromSample));
  });

  test('that knows only json: each utterance is where it was spoken', async () => {
    const { speech } = await transcribe(onlyJson('hello there'));
    assert.deepEqual(inSeconds(speech), [
      [5, 7, 'hello there'],
      [20, 21, 'hello there'],
    ]);
    assert.equal(speech.utterances[0]!.words, undefined);
  });

  test('that makes words up for noise is not believed', async () => {
    const { speech } = await transcribe(onlyJson('you '.repeat(20)));
    assert.deepEqual(speech.utterances, []);
    assert.ok(speech.unrecognized.length >= 2);
  });

  test('that fails fails the transcript, with its reason', async () => {
    await assert.rejects(
      transcribe(() => ({ status: 401, body: { error: 'no such key' } })),
      { code: 'TRANSCRIPTION_REFUSED', message: /answered 401: .*no such key/ },
    );
  });
});
