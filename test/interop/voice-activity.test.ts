import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { hangoverMs } from '../../src/audio/voice-activity.ts';
import { speechFrames } from '../../src/testkit/active-speech.ts';
import { backgroundNoise, backgroundNoises, mixed } from '../../src/testkit/background-noise.ts';
import { endSilenceTimes } from '../../src/testkit/end-of-speech.ts';
import { detectedSpeech, detectionFigures } from '../../src/testkit/speech-detection.ts';
import { ensurePackages } from './debian.ts';
import { type HumanVoice, humanVoice, voiceNames } from './human-voices.ts';

const speechDbov = -26;
const rateHz = 8000;
const prompts = ['vm-options', 'demo-abouttotry', 'vm-review', 'demo-echotest', 'dir-intro', 'tt-allbusy'];
const babblers = ['demo-instruct', 'priv-callee-options', 'conf-adminmenu-162'];
const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const pause = new Int16Array(3 * rateHz);

function joined(parts: Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

let talkers: Int16Array[] = [];
const spoken = new Map<HumanVoice, Int16Array[]>();

before(async () => {
  await ensurePackages(
    'asterisk-core-sounds-en-wav',
    'asterisk-core-sounds-es-wav',
    'asterisk-core-sounds-fr-wav',
    'asterisk-core-sounds-it-wav',
    'asterisk-core-sounds-ru-wav',
  );
  for (const voice of voiceNames)
    spoken.set(voice, await Promise.all(prompts.map((prompt) => humanVoice(voice, prompt))));
  talkers = await Promise.all(
    voiceNames.flatMap((voice) => babblers.map((prompt) => humanVoice(voice, prompt))),
  );
});

describe(`speech at ${speechDbov} dBov is found at the default sensitivity, noise is not`, () => {
  for (const voice of voiceNames)
    for (const levelDbov of [-50, -60])
      for (const name of backgroundNoises)
        test(`${voice}, ${name} at ${levelDbov} dBov`, (t) => {
          const clean = joined([pause, ...spoken.get(voice)!.flatMap((prompt) => [prompt, pause])]);
          const options = { samples: clean.length, rateHz, levelDbov, talkers };
          const found = detectedSpeech(mixed(clean, backgroundNoise(name, options)), { rateHz });
          const truth = speechFrames(clean, rateHz, speechDbov);
          const { hits, falseAlarms, otherFrames } = detectionFigures(truth, found, { rateHz, hangoverMs });
          const said = `hits ${hits.toFixed(4)}, false alarms ${falseAlarms.toFixed(4)} of ${otherFrames / 100} s`;
          assert.ok(hits >= 0.95, said);
          assert.ok(falseAlarms <= 0.01, said);
          t.diagnostic(said);
        });

  test('every digit is heard, once', async () => {
    for (const voice of voiceNames)
      for (const digit of digits) {
        const clean = joined([pause, await humanVoice(voice, `digits/${digit}`), pause]);
        const options = { samples: clean.length, rateHz, levelDbov: -50 };
        const noisy = mixed(clean, backgroundNoise('white', options));
        assert.equal(detectedSpeech(noisy, { rateHz }).length, 1, `${voice} ${digit}`);
      }
  });
});

/** Longer than the pauses within these prompts. */
const endSilenceTimeoutMs = 2000;

describe('end_silence_timeout fires within 100 ms of the true end and the timeout', () => {
  for (const voice of voiceNames)
    for (const name of backgroundNoises)
      test(`${voice}, ${name}`, (t) => {
        const offMs = spoken.get(voice)!.map((prompt, at) => {
          const clean = joined([pause, prompt, pause]);
          const endMs = 10 * (speechFrames(clean, rateHz, speechDbov).lastIndexOf(true) + 1);
          const options = { samples: clean.length, rateHz, levelDbov: -50, talkers, seed: at + 1 };
          const noisy = mixed(clean, backgroundNoise(name, options));
          const times = endSilenceTimes(noisy, { rateHz, endSilenceTimeoutMs });
          return times ? times.atMs - endMs - endSilenceTimeoutMs : Number.NaN;
        });
        const said = `off by ${offMs.join(', ')} ms`;
        assert.ok(
          offMs.every((off) => Math.abs(off) <= 100),
          said,
        );
        t.diagnostic(said);
      });
});
