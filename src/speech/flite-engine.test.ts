import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { PlaybackRateHz } from '../playback/audio-source.ts';
import { fliteVoices } from './flite.ts';
import { FliteEngine } from './flite-engine.ts';

const clock = new FakeClock();
const engine = new FliteEngine(clock);
const never = new AbortController().signal;

after(async () => {
  await engine.close();
  assert.equal(clock.pendingTimers, 0);
});

const speak = (text: string, { voice = 'slt', rateHz = 8000 as PlaybackRateHz } = {}) =>
  engine.synthesize({ text, voice, locale: undefined, rateHz }, never);

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

describe('speech', () => {
  test('every voice speaks, each in its own way', async () => {
    const lengths = new Set<number>();
    for (const voice of fliteVoices) {
      const { samples, warnings } = await speak('This call will be recorded. Thank you.', { voice });
      const seconds = samples.length / 8000;
      assert.ok(seconds > 1.5 && seconds < 6, `${voice}: ${seconds} s`);
      assert.ok(rms(samples) > 500, `${voice}: level ${rms(samples)}`);
      assert.deepEqual(warnings, []);
      lengths.add(samples.length);
    }
    assert.ok(lengths.size >= 4);
  });

  test('at every rate it lasts as long; the same text is the same samples, another is not', async () => {
    const text = 'Please hold the line.';
    const [narrow, wide, full, again, other] = await Promise.all([
      speak(text, { rateHz: 8000 }),
      speak(text, { rateHz: 16_000 }),
      speak(text, { rateHz: 48_000 }),
      speak(text, { rateHz: 8000 }),
      speak('Please hold the lime.', { rateHz: 8000 }),
    ]);
    assert.equal(narrow.samples.length, Math.ceil(wide.samples.length / 2));
    assert.equal(full.samples.length, 3 * wide.samples.length);
    assert.deepEqual(again.samples, narrow.samples);
    assert.notDeepEqual(other.samples, narrow.samples);
  });

  test('a long text is spoken whole', async () => {
    const sentence = 'The quick brown fox jumps over the lazy dog. ';
    const one = (await speak(sentence)).samples.length;
    const hundred = (await speak(sentence.repeat(100))).samples.length;
    assert.ok(hundred > 85 * one && hundred < 105 * one, `${hundred / one} times as long`);
  });
});

describe('hostile texts', () => {
  test('control characters, markup, odd Unicode, options, very long words and sentences', async () => {
    for (const text of [
      'a\u0001b\u001b[31mc\u0007d',
      '<speak><break time="99h"/><audio src="file:///etc/passwd"/>hello</speak>',
      '-voice kal -o /etc/passwd --help',
      'abcd'.repeat(100),
      'word '.repeat(400),
      '"\'`$(reboot)`;&|>',
      'e\u0301\u0301\u0301'.repeat(300),
    ]) {
      const { samples } = await speak(text, { voice: 'kal' });
      assert.ok(samples.length > 1000 && rms(samples) > 100, text.slice(0, 30));
    }
  });

  test('what would take more than ten minutes to say is refused', async () => {
    await assert.rejects(speak('9'.repeat(5000), { voice: 'kal' }), { code: 'AUDIO_TOO_LONG' });
  });

  test('what no voice can say is heard as a notice, with a warning', async () => {
    const { samples, warnings } = await speak('Это сообщение');
    assert.deepEqual(samples, (await speak('This message cannot be spoken.')).samples);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['text-incomplete'],
    );
  });
});

describe('voices', () => {
  test('the one asked for, in any case; the own one otherwise, with a warning', () => {
    assert.deepEqual(engine.chooseVoice('RMS', 'en-GB'), { voice: 'rms', warnings: [] });
    assert.deepEqual(engine.chooseVoice(undefined, undefined), { voice: 'slt', warnings: [] });
    assert.deepEqual(engine.chooseVoice('Emma', undefined), {
      voice: 'slt',
      warnings: [{ code: 'voice-unknown', message: 'there is no voice "Emma"; slt speaks' }],
    });
    assert.equal(new FliteEngine(clock, 'awb').chooseVoice('../x', undefined).voice, 'awb');
  });

  test('another language is spoken as if it were English, with a warning', () => {
    for (const locale of ['es-ES', 'english', '', 'x'.repeat(1000)])
      assert.deepEqual(
        engine.chooseVoice(undefined, locale).warnings.map(({ code }) => code),
        ['locale-unsupported'],
      );
    assert.deepEqual(engine.chooseVoice(undefined, 'EN_us').warnings, []);
  });
});
