import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Resampler } from '../../src/audio/resample.ts';
import { SilenceTimer } from '../../src/audio/silence-timer.ts';
import { defaultInputSensitivity, hangoverMs, VoiceActivity } from '../../src/audio/voice-activity.ts';
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from '../../src/codec/g711.ts';
import { speechFrames, speechMarginDb } from '../../src/testkit/active-speech.ts';
import { backgroundNoise, backgroundNoises, mixed } from '../../src/testkit/background-noise.ts';
import { detectedSpeech, detectionFigures, trueEndOfSpeech } from '../../src/testkit/speech-detection.ts';
import { ensurePackages } from './debian.ts';
import { type HumanVoice, humanVoice, voiceNames } from './human-voices.ts';

const speechDbov = -26;
const lineHz = 8000;
const prompts = ['vm-options', 'demo-abouttotry', 'vm-review', 'demo-echotest', 'dir-intro', 'tt-allbusy'];
const babblers = ['demo-instruct', 'priv-callee-options', 'conf-adminmenu-162'];
const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const pause = new Int16Array(2 * lineHz);

function joined(parts: Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function resampled(samples: Int16Array, rateHz: number): Int16Array {
  const resampler = new Resampler(lineHz, rateHz);
  const out = new Int16Array(resampler.maxOutput(samples.length) + resampler.maxOutput(0));
  const written = resampler.push(samples, out);
  return out.subarray(0, written + resampler.flush(out.subarray(written)));
}

/** Prompts with pauses between them. */
async function conversation(voice: HumanVoice): Promise<Int16Array> {
  const spoken = await Promise.all(prompts.map((prompt) => humanVoice(voice, prompt)));
  return joined([pause, ...spoken.flatMap((prompt) => [prompt, pause])]);
}

let talkers: Int16Array[] = [];
const clean = new Map<HumanVoice, Int16Array>();

before(async () => {
  await ensurePackages(
    'asterisk-core-sounds-en-wav',
    'asterisk-core-sounds-es-wav',
    'asterisk-core-sounds-fr-wav',
    'asterisk-core-sounds-it-wav',
    'asterisk-core-sounds-ru-wav',
  );
  for (const voice of voiceNames) clean.set(voice, await conversation(voice));
  talkers = await Promise.all(
    voiceNames.flatMap((voice) => babblers.map((prompt) => humanVoice(voice, prompt))),
  );
});

function assertFigures(speech: Int16Array, noisy: Int16Array, rateHz: number): string {
  const truth = speechFrames(speech, rateHz, speechDbov);
  const figures = detectionFigures(truth, detectedSpeech(noisy, { rateHz }), { rateHz, hangoverMs });
  const { hits, falseAlarms, otherFrames } = figures;
  const said = `hits ${hits.toFixed(4)}, false alarms ${falseAlarms.toFixed(4)} of ${otherFrames / 100} s`;
  assert.ok(hits >= 0.95, said);
  assert.ok(falseAlarms <= 0.01, said);
  return said;
}

describe(`speech at ${speechDbov} dBov is found at sensitivity ${defaultInputSensitivity}, noise is not`, () => {
  for (const voice of voiceNames)
    for (const levelDbov of [-50, -60, -70])
      for (const name of backgroundNoises)
        test(`${voice}, ${name} at ${levelDbov} dBov`, (t) => {
          const speech = clean.get(voice)!;
          const options = { samples: speech.length, rateHz: lineHz, levelDbov, talkers };
          const noisy = mixed(speech, backgroundNoise(name, options));
          t.diagnostic(assertFigures(speech, noisy, lineHz));
        });

  for (const voice of voiceNames)
    test(`${voice} through G.711, both laws`, (t) => {
      const speech = clean.get(voice)!;
      const options = { samples: speech.length, rateHz: lineHz, levelDbov: -50 };
      const noisy = mixed(speech, backgroundNoise('pink', options));
      const payload = new Uint8Array(noisy.length);
      const decoded = new Int16Array(noisy.length);
      encodeAlaw(noisy, payload);
      decodeAlaw(payload, decoded);
      t.diagnostic(`A-law: ${assertFigures(speech, decoded, lineHz)}`);
      encodeUlaw(noisy, payload);
      decodeUlaw(payload, decoded);
      t.diagnostic(`mu-law: ${assertFigures(speech, decoded, lineHz)}`);
    });

  for (const rateHz of [16_000, 48_000])
    test(`at ${rateHz} Hz`, (t) => {
      const speech = resampled(clean.get('italian')!, rateHz);
      const noisy = mixed(
        speech,
        backgroundNoise('white', { samples: speech.length, rateHz, levelDbov: -50 }),
      );
      t.diagnostic(assertFigures(speech, noisy, rateHz));
    });

  test('every digit is heard, once', async () => {
    for (const voice of voiceNames)
      for (const digit of digits) {
        const speech = joined([pause, await humanVoice(voice, `digits/${digit}`), pause]);
        const options = { samples: speech.length, rateHz: lineHz, levelDbov: -50 };
        const noisy = mixed(speech, backgroundNoise('white', options));
        assert.equal(detectedSpeech(noisy, { rateHz: lineHz }).length, 1, `${voice} ${digit}`);
      }
  });

  test('five minutes of noise alone are no speech', () => {
    for (const name of backgroundNoises) {
      const options = { samples: 300 * lineHz, rateHz: lineHz, levelDbov: -50, talkers };
      assert.deepEqual(detectedSpeech(backgroundNoise(name, options), { rateHz: lineHz }), [], name);
    }
  });
});

test('more sensitivity never finds less', () => {
  for (const voice of voiceNames)
    for (const name of backgroundNoises) {
      const speech = clean.get(voice)!;
      const options = { samples: speech.length, rateHz: lineHz, levelDbov: -50, talkers };
      const noisy = mixed(speech, backgroundNoise(name, options));
      let foundBefore = detectedSpeech(noisy, { rateHz: lineHz, inputSensitivity: 0 });
      for (let inputSensitivity = 4; inputSensitivity <= 100; inputSensitivity += 4) {
        const found = detectedSpeech(noisy, { rateHz: lineHz, inputSensitivity });
        for (const { start, end } of foundBefore)
          assert.ok(
            found.some((span) => span.start <= start && span.end >= end),
            `${voice}, ${name}: ${start}..${end} is lost at ${inputSensitivity}`,
          );
        foundBefore = found;
      }
    }
});

/** ITU-T P.56 determines what is speech to so many dB: an end that changes within them is any of these ends. */
const toleranceDb = 0.5;

/** When the timeout is due, in ms. */
function dueMs(speech: Int16Array, endSilenceTimeoutMs: number): number[] {
  return [-toleranceDb, 0, toleranceDb].map((offDb) => {
    const truth = speechFrames(speech, lineHz, speechDbov, speechMarginDb + offDb);
    const end = trueEndOfSpeech(truth, lineHz, endSilenceTimeoutMs);
    return (end * 1000) / lineHz + endSilenceTimeoutMs;
  });
}

const offBy = (ms: number, dueAtMs: number[]): number =>
  Math.min(...dueAtMs.map((due) => Math.abs(ms - due)));

/** How far from it an end is placed, or told, whichever is further; in ms. */
function endSilenceErrorMs(noisy: Int16Array, endSilenceTimeoutMs: number, dueAtMs: number[]): number {
  const voice = new VoiceActivity({ rateHz: lineHz });
  const timer = new SilenceTimer({ rateHz: lineHz, endSilenceTimeoutMs });
  for (let at = 0; at < noisy.length; at += 160) {
    voice.push(noisy, at, at + 160);
    const expiry = timer.decide(voice.position, voice);
    if (!expiry) continue;
    assert.equal(expiry.end, 'end_silence');
    return Math.max(
      offBy((expiry.atSample * 1000) / lineHz, dueAtMs),
      offBy((voice.position * 1000) / lineHz, dueAtMs),
    );
  }
  return Number.POSITIVE_INFINITY;
}

describe('end_silence_timeout fires within 100 ms of the true end and the timeout', () => {
  for (const voice of voiceNames)
    for (const endSilenceTimeoutMs of [500, 1000, 3000, 5000])
      test(`${voice}, ${endSilenceTimeoutMs} ms`, async (t) => {
        let worstMs = 0;
        for (const prompt of prompts) {
          const spoken = await humanVoice(voice, prompt);
          const speech = joined([pause, spoken, pause, pause, pause]);
          const dueAtMs = dueMs(speech, endSilenceTimeoutMs);
          for (const name of backgroundNoises) {
            const options = { samples: speech.length, rateHz: lineHz, levelDbov: -50, talkers };
            const noisy = mixed(speech, backgroundNoise(name, options));
            const errorMs = endSilenceErrorMs(noisy, endSilenceTimeoutMs, dueAtMs);
            assert.ok(errorMs <= 100, `${prompt} in ${name}: ${errorMs} ms`);
            worstMs = Math.max(worstMs, errorMs);
          }
        }
        t.diagnostic(`at most ${worstMs} ms off`);
      });
});
