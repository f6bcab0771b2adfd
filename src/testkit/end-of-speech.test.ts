import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { SampleSpan } from './active-span.ts';
import { activeSpeechDbov, scaled, speechFrames } from './active-speech.ts';
import { backgroundNoise, backgroundNoises, mixed } from './background-noise.ts';
import { endSilenceTimes, sentences } from './end-of-speech.ts';
import { type SpeechName, speech, speechNames } from './speech.ts';

const rateHz = 8000;
/** Shorter than every timeout below, so that none is due within a sentence. */
const pauseMs = 400;
const leadSamples = rateHz;
/** What a sentence fades away in. */
const tailSamples = 0.2 * rateHz;

interface Sentence {
  /** Behind a second of silence, before six more. */
  samples: Int16Array;
  endMs: number;
}

/** What sensitivity 44 is to a voice of -26 dBov, each other is to a voice so much louder or softer. */
const voiceDbov = (inputSensitivity: number) => -26 - 0.36 * (inputSensitivity - 44);

function cut(clean: Int16Array, { start, end }: SampleSpan): Sentence {
  const from = Math.max(0, start - tailSamples);
  const spoken = clean.subarray(from, end + tailSamples);
  const samples = new Int16Array(leadSamples + spoken.length + 6 * rateHz);
  samples.set(spoken, leadSamples);
  return { samples, endMs: ((leadSamples + end - from) * 1000) / rateHz };
}

const recorded = new Map<SpeechName, Int16Array>();

before(async () => {
  for (const name of speechNames) recorded.set(name, await speech(name));
});

function sentencesOf(name: SpeechName, levelDbov: number): Sentence[] {
  const samples = recorded.get(name)!;
  const clean = scaled(samples, levelDbov - activeSpeechDbov(samples, rateHz));
  const spans = sentences(speechFrames(clean, rateHz, levelDbov), rateHz, pauseMs);
  return spans.filter(({ start, end }) => end - start > rateHz / 2).map((span) => cut(clean, span));
}

test('sentences are what lies between long pauses', () => {
  const truth = [false, true, true, false, true, false, false, false, true].map(Boolean);
  assert.deepEqual(sentences(truth, 1000, 30), [
    { start: 10, end: 50 },
    { start: 80, end: 90 },
  ]);
});

describe('end_silence_timeout fires within 100 ms of the true end and the timeout', () => {
  for (const name of speechNames)
    for (const inputSensitivity of [20, 44, 70, 100])
      test(`${name} at ${voiceDbov(inputSensitivity).toFixed(0)} dBov, sensitivity ${inputSensitivity}`, (t) => {
        const levelDbov = voiceDbov(inputSensitivity);
        const talkers = [...recorded.values()];
        let worstMs = 0;
        let seed = 0;
        const spoken = sentencesOf(name, levelDbov);
        assert.ok(spoken.length >= 2, `${spoken.length} sentences`);
        for (const { samples, endMs } of spoken)
          for (const noise of backgroundNoises) {
            const options = {
              samples: samples.length,
              rateHz,
              levelDbov: levelDbov - 24,
              talkers,
              seed: seed++,
            };
            const noisy = mixed(samples, backgroundNoise(noise, options));
            for (const endSilenceTimeoutMs of [500, 1000, 2500, 5000]) {
              const times = endSilenceTimes(noisy, { rateHz, endSilenceTimeoutMs, inputSensitivity });
              const due = endMs + endSilenceTimeoutMs;
              const { atMs, toldMs } = times ?? { atMs: Number.NaN, toldMs: Number.NaN };
              const off = Math.max(Math.abs(atMs - due), Math.abs(toldMs - due));
              assert.ok(
                off <= 100,
                `${noise}, ${endSilenceTimeoutMs} ms: due ${due}, at ${atMs}, told ${toldMs}`,
              );
              worstMs = Math.max(worstMs, off);
            }
          }
        t.diagnostic(`${spoken.length} sentences, at most ${worstMs} ms off`);
      });
});
