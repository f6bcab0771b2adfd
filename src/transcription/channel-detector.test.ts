import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChannelDetector } from './channel-detector.ts';
import type { SpeechPiece } from './speech-segmenter.ts';
import { LoudnessDetector } from './test-detector.ts';
import { noise } from './test-noise.ts';

/** 60 s, in which somebody speaks from 10 s to 12 s and from 40 s to 41 s. */
function audio(rateHz: number): Int16Array {
  const samples = new Int16Array(60 * rateHz);
  for (const [from, to] of [
    [10, 12],
    [40, 41],
  ] as const)
    samples.set(noise({ samples: (to - from) * rateHz, seed: from, levelDbov: -20 }), from * rateHz);
  return samples;
}

function detect(rateHz: number, chunkSamples: number, detector = new LoudnessDetector()): SpeechPiece[] {
  const channel = new ChannelDetector(rateHz, detector);
  const samples = audio(rateHz);
  const pieces: SpeechPiece[] = [];
  for (let at = 0; at < samples.length; at += chunkSamples)
    pieces.push(...channel.push(samples.subarray(at, at + chunkSamples)));
  return [...pieces, ...channel.end()];
}

describe('A channel', () => {
  for (const rateHz of [8000, 16_000, 48_000])
    test(`of ${rateHz} Hz gives speech at its place, at 16 kHz`, () => {
      const pieces = detect(rateHz, rateHz);
      const seconds = pieces.map(({ speechFrom, speechTo }) => [speechFrom / 16_000, speechTo / 16_000]);
      assert.equal(seconds.length, 2);
      for (const [i, [from, to]] of [
        [10, 12],
        [40, 41],
      ].entries()) {
        assert.ok(Math.abs(seconds[i]![0]! - from!) < 0.05, String(seconds));
        assert.ok(Math.abs(seconds[i]![1]! - to!) < 0.05, String(seconds));
      }
    });

  test('is the same however it is cut into chunks', () => {
    const whole = detect(8000, 480_000);
    assert.deepEqual(detect(8000, 160), whole);
    assert.deepEqual(detect(8000, 7919), whole);
  });

  test('spares the detector what is silent', () => {
    const detector = new LoudnessDetector();
    detect(8000, 8000, detector);
    assert.ok(detector.accepted < 300, String(detector.accepted));
    assert.equal(detector.resets, 3);
  });

  test('without audio has no speech', () => {
    assert.deepEqual(new ChannelDetector(8000, new LoudnessDetector()).end(), []);
  });
});
