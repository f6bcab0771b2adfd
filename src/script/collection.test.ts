import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LegHandlers } from '../call/leg.ts';
import type { ListenOptions, ListenResult } from '../call/listening.ts';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { RecognizedUtterance } from '../transcription/utterance-recognizer.ts';
import { Collection } from './collection.ts';
import type { Collect } from './verb.ts';

const utterance = { samples: new Int16Array(800), rateHz: 8000 } as const;
const verb: Collect = {
  ...{
    verb: 'collect',
    prompts: [],
    maxDigits: 4,
    terminators: '#',
    initialTimeoutMs: 5000,
    digitTimeoutMs: 3000,
  },
  speech: { locale: 'en-US', endSilenceMs: 800, maxSpeechMs: 10_000 },
};

/** A collection whose leg, prompts and recogniser are the test's. */
function stage(given: Partial<Collect> = {}, hasRecognizer = true) {
  const clock = new FakeClock();
  const sent: string[] = [];
  const heard = Promise.withResolvers<ListenResult>();
  const words = Promise.withResolvers<RecognizedUtterance>();
  const prompt = Promise.withResolvers<void>();
  const over = new AbortController();
  let handlers: LegHandlers = {};
  let listened: ListenOptions | undefined;
  let recognition: AbortSignal | undefined;
  const collection = new Collection({
    leg: {
      id: 'leg',
      addHandlers: (added) => {
        handlers = added;
        return () => void sent.push('no more keys');
      },
      listen: (options) => {
        listened = options;
        return { ended: heard.promise, arm: () => void sent.push('arm'), stop: () => void sent.push('stop') };
      },
    },
    verb: { ...verb, ...given },
    clock,
    log: silentLogger,
    recognizer: hasRecognizer
      ? {
          prepare: () => void sent.push('prepare'),
          recognize: (_utterance, _locale, signal) => {
            recognition = signal;
            return words.promise;
          },
        }
      : undefined,
    play: (promptOver) => {
      promptOver.addEventListener('abort', () => prompt.resolve());
      return prompt.promise;
    },
  });
  const result = collection.run(over.signal);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...{ clock, sent, heard, words, over, prompt, result, turn },
    key: (digit: string) => handlers.digit?.(digit, 'rtp'),
    listened: () => listened,
    recognition: () => recognition,
  };
}

describe('a collection of keys or speech', () => {
  test('what is said ends the prompt and gives its words', async () => {
    const { listened, heard, words, result, prompt, sent } = stage();
    assert.deepEqual(
      { ...listened(), began: undefined },
      { endSilenceMs: 800, maxSpeechMs: 10_000, initialTimeoutMs: 5000, began: undefined },
    );
    listened()?.began();
    await prompt.promise;
    heard.resolve({ reason: 'speech', utterance });
    words.resolve({ text: 'Sales.', confidence: 0.8 });
    assert.deepEqual(await result, {
      ...{ digits: '', ended: 'speech', speech: { text: 'Sales.', confidence: 0.8 } },
    });
    assert.equal(sent[0], 'prepare');
  });

  test('words that are none, and an engine that fails, are no match', async () => {
    const empty = stage();
    empty.heard.resolve({ reason: 'speech', utterance });
    empty.words.resolve({ text: '', confidence: undefined });
    assert.deepEqual(await empty.result, { digits: '', ended: 'no-match' });
    const broken = stage();
    const error = new CallreelError('TRANSCRIPTION_ENGINE_LOST', 'it died');
    broken.heard.resolve({ reason: 'speech', utterance });
    broken.words.reject(error);
    assert.deepEqual(await broken.result, { digits: '', ended: 'no-match', error });
  });

  test('behind the prompt the party is waited for by the media worker, on sample time', async () => {
    const { prompt, clock, heard, result, sent, turn } = stage();
    clock.advanceMs(60_000);
    prompt.resolve();
    await turn();
    assert.ok(sent.includes('arm'));
    assert.equal(clock.pendingTimers, 0);
    heard.resolve({ reason: 'no-input' });
    assert.deepEqual(await result, { digits: '', ended: 'no-input' });
  });

  test('a key ends what was said before it was understood', async () => {
    const { heard, key, result, recognition, turn, sent } = stage();
    heard.resolve({ reason: 'speech', utterance });
    await turn();
    for (const digit of '12#') key(digit);
    assert.deepEqual(await result, { digits: '12', ended: 'terminator', terminator: '#' });
    assert.equal(recognition()?.aborted, true);
    assert.ok(sent.includes('stop') && sent.includes('no more keys'));
  });

  test('where only speech counts, keys do not', async () => {
    const { heard, key, words, result } = stage({ maxDigits: 0, terminators: '' });
    key('5');
    heard.resolve({ reason: 'speech', utterance });
    words.resolve({ text: 'Anne', confidence: undefined });
    assert.equal((await result).ended, 'speech');
  });

  test('where nobody can listen, keys are waited for as ever', async () => {
    for (const hasRecognizer of [true, false]) {
      const { prompt, heard, clock, result, turn } = stage({}, hasRecognizer);
      prompt.resolve();
      await turn();
      heard.resolve({ reason: 'stopped', refusal: new CallreelError('LISTENERS_EXHAUSTED', 'too many') });
      await turn();
      clock.advanceMs(5000);
      assert.deepEqual(await result, { digits: '', ended: 'no-input' });
    }
  });

  test('and where no key counts either, that is told at once', async () => {
    const { result } = stage({ maxDigits: 0, terminators: '' }, false);
    const { ended, error } = await result;
    assert.deepEqual([ended, error?.code], ['no-match', 'TRANSCRIPTION_UNAVAILABLE']);
  });

  test('given up, nothing is left running', async () => {
    const { over, result, sent, clock } = stage();
    over.abort();
    assert.deepEqual(await result, { digits: '', ended: 'no-input' });
    assert.ok(sent.includes('stop'));
    assert.equal(clock.pendingTimers, 0);
  });
});
