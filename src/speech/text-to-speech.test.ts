import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { FliteEngine } from './flite-engine.ts';
import type { EngineRequest, EngineSpeech, SpeechEngine } from './speech-engine.ts';
import { CachedTextToSpeech, maxTextCharacters, type TextToSpeech } from './text-to-speech.ts';
import { chooseForeignVoice } from './voice-name.ts';

/** Counts what it is asked for, and fails when told to. */
class CountingEngine implements SpeechEngine {
  readonly name = 'counting';
  readonly requests: EngineRequest[] = [];
  failure: CallreelError | undefined;

  chooseVoice(voice: string | undefined, locale: string | undefined) {
    return chooseForeignVoice('own', voice, locale);
  }

  cacheKey({ text, voice, rateHz }: EngineRequest): string {
    return `${voice} ${rateHz} ${text}`;
  }

  async synthesize(request: EngineRequest): Promise<EngineSpeech> {
    this.requests.push(request);
    if (this.failure) throw this.failure;
    return { samples: new Int16Array(request.text.length * 10), warnings: [] };
  }

  async close(): Promise<void> {}
}

const opened: TextToSpeech[] = [];

afterEach(async () => {
  for (const speech of opened.splice(0)) await speech.close();
});

function speechBy(...engines: [SpeechEngine, ...SpeechEngine[]]): TextToSpeech {
  const speech = new CachedTextToSpeech({ engines, cacheBytes: 1_000_000 });
  opened.push(speech);
  return speech;
}

describe('cache', () => {
  test('the same text, voice and rate is synthesized once; anything else again', async () => {
    const engine = new CountingEngine();
    const speech = speechBy(engine);
    const first = await speech.speak({ text: 'Hello.', rateHz: 8000 });
    const again = await speech.speak({ text: ' Hello.\n', voice: 'own', rateHz: 8000 });
    assert.equal(again.samples, first.samples);
    assert.equal(engine.requests.length, 1);
    await speech.speak({ text: 'Hello.', rateHz: 16_000 });
    await speech.speak({ text: 'Hello.', voice: 'other', rateHz: 8000 });
    await speech.speak({ text: 'Hello!', rateHz: 8000 });
    assert.equal(engine.requests.length, 4);
  });

  test('a hundred calls that begin at once with one greeting', async () => {
    const engine = new CountingEngine();
    const speech = speechBy(engine);
    const greeting = { text: 'Welcome.', rateHz: 8000 } as const;
    const all = await Promise.all(Array.from({ length: 100 }, () => speech.speak(greeting)));
    assert.equal(engine.requests.length, 1);
    assert.equal(new Set(all.map(({ samples }) => samples)).size, 1);
  });

  test('it is bounded: what was said long ago is synthesized again', async () => {
    const engine = new CountingEngine();
    const speech = speechBy(engine);
    for (let k = 0; k < 100; k++) await speech.speak({ text: `${k}`.padEnd(1000, 'x'), rateHz: 8000 });
    await speech.speak({ text: '99'.padEnd(1000, 'x'), rateHz: 8000 });
    assert.equal(engine.requests.length, 100);
    await speech.speak({ text: '0'.padEnd(1000, 'x'), rateHz: 8000 });
    assert.equal(engine.requests.length, 101);
  });

  test('real speech comes out of it as it went in', async () => {
    const speech = speechBy(new FliteEngine(new FakeClock()));
    const first = await speech.speak({ text: 'Press one.', rateHz: 8000 });
    const again = await speech.speak({ text: 'Press one.', rateHz: 8000 });
    const other = await speech.speak({ text: 'Press two.', rateHz: 8000 });
    assert.equal(again.samples, first.samples);
    assert.ok(first.samples.some((sample) => Math.abs(sample) > 3000));
    assert.notDeepEqual(other.samples, first.samples);
  });
});

describe('texts', () => {
  test('without content: an empty result that no engine is asked for', async () => {
    const engine = new CountingEngine();
    for (const text of ['', ' \n\t ', '\u0000\u0007', '\u200b\ufeff', '\ud800'])
      assert.deepEqual(await speechBy(engine).speak({ text, rateHz: 8000 }), {
        samples: new Int16Array(0),
        rateHz: 8000,
        warnings: [],
      });
    assert.equal(engine.requests.length, 0);
  });

  test('control characters and broken Unicode reach no engine', async () => {
    const engine = new CountingEngine();
    await speechBy(engine).speak({ text: 'a\0b\r\n\u001b[0mc\ud800d\u2028e', rateHz: 8000 });
    assert.equal(engine.requests[0]?.text, 'a b [0mc d e');
  });

  test('the longest one is spoken, a longer one and one of 1 MB are refused', async () => {
    const speech = speechBy(new CountingEngine());
    const longest = await speech.speak({ text: 'x'.repeat(maxTextCharacters), rateHz: 8000 });
    assert.equal(longest.samples.length, 10 * maxTextCharacters);
    for (const length of [maxTextCharacters + 1, 1_000_000])
      await assert.rejects(speech.speak({ text: 'x'.repeat(length), rateHz: 8000 }), {
        code: 'SPEECH_TEXT_TOO_LONG',
      });
  });
});

describe('warnings', () => {
  test('a locale and a voice that are not there: the fallback voice speaks, also from the cache', async () => {
    const speech = speechBy(new FliteEngine(new FakeClock()));
    const plain = await speech.speak({ text: 'Hola.', rateHz: 8000 });
    assert.deepEqual(plain.warnings, []);
    for (let k = 0; k < 2; k++) {
      const foreign = await speech.speak({ text: 'Hola.', voice: 'Conchita', locale: 'es-ES', rateHz: 8000 });
      assert.equal(foreign.samples, plain.samples);
      assert.deepEqual(
        foreign.warnings.map(({ code }) => code),
        ['voice-unknown', 'locale-unsupported'],
      );
    }
  });

  test('an engine that fails is stood in for, and asked again the next time', async () => {
    const engine = new CountingEngine();
    engine.failure = new CallreelError('SPEECH_FAILED', 'speech.url: answered 503');
    const speech = speechBy(engine, new FliteEngine(new FakeClock()));
    const { samples, warnings } = await speech.speak({ text: 'Hello.', voice: 'nova', rateHz: 8000 });
    assert.ok(samples.length > 4000);
    assert.deepEqual(warnings, [
      { code: 'engine-failed', message: 'speech.url: answered 503' },
      { code: 'voice-unknown', message: 'there is no voice "nova"; slt speaks' },
    ]);
    engine.failure = undefined;
    const next = await speech.speak({ text: 'Hello.', voice: 'nova', rateHz: 8000 });
    assert.deepEqual([next.samples.length, next.warnings], [60, []]);
  });

  test('with nobody to stand in it is an error; other errors are not stood in for', async () => {
    const engine = new CountingEngine();
    engine.failure = new CallreelError('SPEECH_FAILED', 'broken');
    await assert.rejects(speechBy(engine).speak({ text: 'a', rateHz: 8000 }), { code: 'SPEECH_FAILED' });
    engine.failure = new CallreelError('DRAINING', 'stopped');
    await assert.rejects(speechBy(engine, new CountingEngine()).speak({ text: 'a', rateHz: 8000 }), {
      code: 'DRAINING',
    });
  });
});

test('which voices there are is known before anything is said', () => {
  const speech = speechBy(new FliteEngine(new FakeClock()));
  assert.deepEqual(
    ['slt', 'SLT', 'Polly.Salli', 'nova'].map((voice) => speech.hasVoice(voice)),
    [true, true, false, false],
  );
});

test('a caller who hangs up gets the reason back', async () => {
  const signal = AbortSignal.abort(new Error('hung up'));
  const speech = speechBy(new FliteEngine(new FakeClock()));
  await assert.rejects(speech.speak({ text: 'Hello.', rateHz: 8000, signal }), { message: 'hung up' });
  const giveUp = new AbortController();
  const speaking = speech.speak({ text: 'Hello again.', rateHz: 8000, signal: giveUp.signal });
  giveUp.abort(new Error('hung up too'));
  await assert.rejects(speaking, { message: 'hung up too' });
});
