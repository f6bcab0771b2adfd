import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { ChannelSpeech, ChannelWish, SpeechToText } from './speech-to-text.ts';
import { UtteranceRecognizer } from './utterance-recognizer.ts';

const audio = { samples: new Int16Array(1600), rateHz: 8000 };
const speech = (...said: (readonly [string, number?])[]): ChannelSpeech => ({
  ...{ durationSamples: 1600, unrecognized: [] },
  utterances: said.map(([text, confidence]) => ({ text, confidence, fromSample: 0, toSample: 1 })),
});

function stage(transcribe: (wish: ChannelWish) => Promise<ChannelSpeech>, most?: number) {
  const clock = new FakeClock();
  const wishes: ChannelWish[] = [];
  const engine: SpeechToText = {
    ...{ name: 'url', model: 'test' },
    unservedReason: () => undefined,
    transcribe: (_audio, wish) => {
      wishes.push(wish);
      return transcribe(wish);
    },
    close: async () => undefined,
  };
  const recognizer = new UtteranceRecognizer({
    ...{ engine: async () => engine, clock, timeoutMs: 5000 },
    ...(most !== undefined && { most }),
  });
  const recognize = (signal = new AbortController().signal) => recognizer.recognize(audio, 'en-GB', signal);
  return { clock, wishes, recognizer, recognize };
}

describe('UtteranceRecognizer', () => {
  test('asks urgently, and gives the words with the mean of what is known of their confidence', async () => {
    const { recognize, wishes } = stage(async () => speech([' My name ', 0.9], [''], ['is Ann.', 0.7]));
    const { text, confidence } = await recognize();
    assert.equal(text, 'My name is Ann.');
    assert.ok(Math.abs((confidence ?? 0) - 0.8) < 1e-9);
    assert.deepEqual([wishes[0]?.isUrgent, wishes[0]?.locale], [true, 'en-GB']);
  });

  test('nothing that was understood is an empty text', async () => {
    const { recognize } = stage(async () => speech());
    assert.deepEqual(await recognize(), { text: '', confidence: undefined });
  });

  test('waits so long and no longer, whatever the engine does', async () => {
    const { recognize, clock, wishes } = stage(() => new Promise(() => undefined));
    const waiting = recognize();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advanceMs(5000);
    await assert.rejects(waiting, { code: 'TRANSCRIPTION_UNAVAILABLE' });
    assert.equal(wishes[0]?.signal.aborted, true);
    assert.equal(clock.pendingTimers, 0);
  });

  test('is given up by who waits, and fails as the engine does', async () => {
    const { recognize } = stage(() => new Promise(() => undefined));
    const gone = new AbortController();
    const waiting = recognize(gone.signal);
    gone.abort(new Error('hung up'));
    await assert.rejects(waiting, /hung up/);
    const error = new CallreelError('TRANSCRIPTION_REFUSED', 'no such key');
    await assert.rejects(
      stage(async () => {
        throw error;
      }).recognize(),
      error,
    );
  });

  test('only so many wait at once', async () => {
    const { promise, resolve } = Promise.withResolvers<ChannelSpeech>();
    const { recognize } = stage(() => promise, 2);
    const waiting = [recognize(), recognize()];
    await assert.rejects(recognize(), { code: 'TRANSCRIPTION_UNAVAILABLE' });
    resolve(speech(['yes']));
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ text }) => text),
      ['yes', 'yes'],
    );
    assert.equal((await recognize()).text, 'yes');
  });

  test('an engine is made ready once at a time; what fails of it is told to nobody', async () => {
    const { recognizer, wishes } = stage(async () => {
      throw new CallreelError('TRANSCRIPTION_UNAVAILABLE', 'no network');
    });
    recognizer.prepare('en-US');
    recognizer.prepare('en-US');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(wishes.length, 1);
    recognizer.prepare('en-US');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(wishes.length, 2);
  });
});
