import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { dbovToRms, rmsDbov } from '../audio/level.ts';
import { resample } from '../audio/resample.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const rateHz = 8000;
const frame = 80;
const voices = ['english', 'french', 'italian', 'spanish'];
const timeoutMs = 900;
/** Speech is what lies no farther below its own level (ITU-T P.56). */
const marginDb = 15.9;
const speechDbov = -26;
/** Before the first word, and behind the last. */
const leadMs = 300;
const tailMs = 1500;

it('speech that is over ends a recording at the timeout behind its last word, 100 ms at most beside it', async () => {
  const bench = new RecordingBench();
  try {
    const calls = await Promise.all(voices.map(async (voice) => ({ voice, phone: await bench.call(voice) })));
    const talking: [TestPhone, Int16Array][] = [];
    const ends = new Map<string, number>();
    for (const { voice, phone } of calls) {
      const clean = cleanSpeech(voice);
      ends.set(voice, endOfSpeech(clean));
      talking.push([phone, withNoise(clean, -50)]);
      const options = { endSilenceTimeoutMs: timeoutMs, inputSensitivity: 44 };
      await bench.record(voice, voice, { options });
    }
    const longest = Math.max(...talking.map(([, samples]) => samples.length));
    await bench.slots(Math.ceil(longest / 160) + 10, talking);
    for (const voice of voices) {
      const { end, startSample } = bench.open(voice, `call-${voice}`);
      const expected = startSample + ends.get(voice)! + (timeoutMs * rateHz) / 1000;
      assert.equal(end?.reason, 'end_silence', voice);
      const offMs = ((end!.atSample - expected) * 1000) / rateHz;
      assert.ok(Math.abs(offMs) <= 100, `${voice}: ${offMs} ms beside`);
    }
  } finally {
    await bench.close();
  }
});

/** A voice of `demo/audio` at -26 dBov while it speaks, between silences. */
function cleanSpeech(voice: string): Int16Array {
  const wav = parseWav(readFileSync(new URL(`../../demo/audio/${voice}.wav`, import.meta.url)));
  const samples = resample(pcm16Samples(wav.data), wav.rateHz, rateHz);
  const gain = 10 ** ((speechDbov - activeDbov(samples)) / 20);
  const out = new Int16Array(leadMs * 8 + Math.ceil(samples.length / 160) * 160 + tailMs * 8);
  samples.forEach((sample, k) => {
    out[leadMs * 8 + k] = Math.max(-32_768, Math.min(32_767, Math.round(sample * gain)));
  });
  return out;
}

/** Level of the frames that lie within the margin below it. */
function activeDbov(samples: Int16Array): number {
  let level = rmsDbov(samples);
  for (let round = 0; round < 20; round++) {
    const active: number[] = [];
    for (let at = 0; at + frame <= samples.length; at += frame) {
      const part = samples.subarray(at, at + frame);
      if (rmsDbov(part) > level - marginDb) active.push(...part);
    }
    level = rmsDbov(Int16Array.from(active));
  }
  return level;
}

/** Where the clean speech was over for the timeout first. */
function endOfSpeech(clean: Int16Array): number {
  let end = -1;
  for (let at = 0; at + frame <= clean.length; at += frame) {
    if (rmsDbov(clean.subarray(at, at + frame)) > speechDbov - marginDb) end = at + frame;
    else if (end >= 0 && at + frame - end >= timeoutMs * 8) return end;
  }
  return assert.fail('the speech is never over');
}

function withNoise(clean: Int16Array, levelDbov: number): Int16Array {
  const peak = Math.sqrt(3) * dbovToRms(levelDbov);
  let seed = 1;
  return clean.map((sample) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    return Math.max(-32_768, Math.min(32_767, Math.round(sample + (peak * seed) / 2 ** 31)));
  });
}
