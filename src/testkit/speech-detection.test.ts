import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Resampler } from '../audio/resample.ts';
import { defaultInputSensitivity, hangoverMs } from '../audio/voice-activity.ts';
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from '../codec/g711.ts';
import { activeSpeechDbov, scaled, speechFrames } from './active-speech.ts';
import { type BackgroundNoiseName, backgroundNoise, backgroundNoises, mixed } from './background-noise.ts';
import { speech, speechNames } from './speech.ts';
import { detectedSpeech, detectionFigures } from './speech-detection.ts';

const speechDbov = -26;
const lineHz = 8000;

const recorded = new Map<string, Int16Array>();

before(async () => {
  for (const name of speechNames) {
    const spoken = await speech(name);
    const samples = new Int16Array(spoken.length + 10 * lineHz);
    samples.set(scaled(spoken, speechDbov - activeSpeechDbov(spoken, lineHz)), 5 * lineHz);
    recorded.set(name, samples);
  }
});

function resampled(samples: Int16Array, rateHz: number): Int16Array {
  const resampler = new Resampler(lineHz, rateHz);
  const out = new Int16Array(resampler.maxOutput(samples.length) + resampler.maxOutput(0));
  const written = resampler.push(samples, out);
  return out.subarray(0, written + resampler.flush(out.subarray(written)));
}

function behind(
  samples: Int16Array,
  noise: BackgroundNoiseName,
  levelDbov: number,
  rateHz = lineHz,
): Int16Array {
  const talkers = [...recorded.values()];
  return mixed(samples, backgroundNoise(noise, { samples: samples.length, rateHz, levelDbov, talkers }));
}

function assertFigures(clean: Int16Array, noisy: Int16Array, rateHz = lineHz): string {
  const truth = speechFrames(clean, rateHz, speechDbov);
  const figures = detectionFigures(truth, detectedSpeech(noisy, { rateHz }), { rateHz, hangoverMs });
  const { hits, falseAlarms, speechFrames: frames, otherFrames } = figures;
  const said = `hits ${hits.toFixed(4)} of ${frames / 100} s, false alarms ${falseAlarms.toFixed(4)} of ${otherFrames / 100} s`;
  assert.ok(hits >= 0.95, said);
  assert.ok(falseAlarms <= 0.01, said);
  return said;
}

test('figures are shares of speech, and of what is neither speech nor its hangover', () => {
  const truth = [false, true, true, true, true, false, false, false, false];
  const found = [
    { start: 20, end: 50 },
    { start: 80, end: 90 },
  ];
  assert.deepEqual(detectionFigures(truth, found, { rateHz: 1000, hangoverMs: 20 }), {
    hits: 0.75,
    falseAlarms: 1 / 3,
    speechFrames: 4,
    otherFrames: 3,
  });
});

describe(`speech at ${speechDbov} dBov is found at sensitivity ${defaultInputSensitivity}, noise is not`, () => {
  for (const name of speechNames)
    for (const noise of backgroundNoises)
      for (const levelDbov of [-50, -65])
        test(`${name}, ${noise} at ${levelDbov} dBov`, (t) => {
          const clean = recorded.get(name)!;
          t.diagnostic(assertFigures(clean, behind(clean, noise, levelDbov)));
        });

  for (const name of speechNames)
    test(`${name} alone, and off centre by direct current`, (t) => {
      const clean = recorded.get(name)!;
      t.diagnostic(assertFigures(clean, clean));
      t.diagnostic(assertFigures(clean, mixed(clean, new Int16Array(clean.length).fill(1500))));
    });

  for (const name of speechNames)
    test(`${name} through G.711, both laws`, (t) => {
      const clean = recorded.get(name)!;
      const noisy = behind(clean, 'pink', -50);
      const payload = new Uint8Array(noisy.length);
      const decoded = new Int16Array(noisy.length);
      encodeAlaw(noisy, payload);
      decodeAlaw(payload, decoded);
      t.diagnostic(`A-law: ${assertFigures(clean, decoded)}`);
      encodeUlaw(noisy, payload);
      decodeUlaw(payload, decoded);
      t.diagnostic(`mu-law: ${assertFigures(clean, decoded)}`);
    });

  for (const rateHz of [16_000, 48_000])
    test(`at ${rateHz} Hz`, (t) => {
      const clean = resampled(recorded.get('italian')!, rateHz);
      t.diagnostic(assertFigures(clean, behind(clean, 'white', -50, rateHz), rateHz));
    });

  test('two minutes of noise alone are no speech', () => {
    for (const noise of backgroundNoises) {
      const noisy = behind(new Int16Array(120 * lineHz), noise, -50);
      assert.deepEqual(detectedSpeech(noisy, { rateHz: lineHz }), [], noise);
    }
  });
});

test('what each sensitivity finds is a part of what the next one finds', () => {
  for (const [at, noise] of backgroundNoises.entries()) {
    const name = speechNames[at % speechNames.length]!;
    const noisy = behind(recorded.get(name)!, noise, -50);
    let foundBefore = detectedSpeech(noisy, { rateHz: lineHz, inputSensitivity: 0 });
    for (let inputSensitivity = 1; inputSensitivity <= 100; inputSensitivity++) {
      const found = detectedSpeech(noisy, { rateHz: lineHz, inputSensitivity });
      for (const { start, end } of foundBefore)
        assert.ok(
          found.some((span) => span.start <= start && span.end >= end),
          `${name}, ${noise}: ${start}..${end} is lost at ${inputSensitivity}`,
        );
      foundBefore = found;
    }
    assert.ok(foundBefore.length > 0);
  }
});
