import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { dbovToRms } from '../audio/level.ts';
import { SpeechLevel } from '../quality/speech-level.ts';
import { randomOf } from '../quality/test-random.ts';
import { testVoices } from '../quality/test-voices.ts';
import { testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import type { MeasuredRecording } from './quality-protocol.ts';
import { measuredRecording } from './test-measured-recording.ts';

const rateHz = 8000;
const seconds = 600;
const quietDb = 36;
const noisyDb = 14;
const spool = new TestSpool({ ringBytes: 1 << 24 });
after(() => spool.remove());
let recordings = 0x60;

/** A call of ten minutes. */
function measured(lines: Record<string, Int16Array>): Promise<MeasuredRecording> {
  const talks = Object.entries(lines).map(([trackId, said]) => {
    return { trackId, records: testStream(said).records, leaveUs: seconds * 1e6 };
  });
  return measuredRecording(spool, (recordings++).toString(16).toUpperCase(), talks, { seconds });
}

const long = (voice: Int16Array) =>
  Int16Array.from({ length: seconds * rateHz }, (_, at) => voice[at % voice.length]!);

/** A voice on a line whose noise lies so much under it, second by second. */
function onLine(voice: Int16Array, snrDbAt: (second: number) => number, said = long(voice)): Int16Array {
  const level = new SpeechLevel(rateHz);
  level.push(voice, 0, voice.length);
  const { levelDbov } = level.active();
  const random = randomOf(3);
  return said.map((sample, at) => {
    const rms = dbovToRms(levelDbov - snrDbAt(Math.floor(at / rateHz)));
    return Math.max(-32_768, Math.min(32_767, sample + rms * Math.sqrt(3) * (2 * random() - 1)));
  });
}

const voices = testVoices.map(({ prompts }) => prompts[0]!) as [
  Int16Array,
  Int16Array,
  Int16Array,
  Int16Array,
];
/** Of noise that is loud for such a share of the time. */
const overWhole = (share: number) =>
  -10 * Math.log10(share * 10 ** (-noisyDb / 10) + (1 - share) * 10 ** (-quietDb / 10));

function assertSnr({ channels }: MeasuredRecording, name: string, wantedDb: number, byDb: number): void {
  const { snrDb, speechLevelDbov } = channels[name]!;
  assert.ok(Math.abs(snrDb! - wantedDb) < byDb, `${name}: ${snrDb} dB, made with ${wantedDb}`);
  assert.ok(speechLevelDbov! > -30 && speechLevelDbov! < -15, `${name}: ${speechLevelDbov}`);
}

for (const [index, voice] of voices.entries())
  test(`noise that comes or goes counts as long as it is there (voice ${index})`, async () => {
    const told = await measured({
      quiet: onLine(voice, () => quietDb),
      noisyLate: onLine(voice, (second) => (second < 60 ? quietDb : noisyDb)),
      noisyEarly: onLine(voice, (second) => (second < 60 ? noisyDb : quietDb)),
      noisyHalf: onLine(voice, (second) => (second < 300 ? quietDb : noisyDb)),
    });
    assertSnr(told, 'quiet', quietDb, 4);
    assertSnr(told, 'noisyLate', overWhole(0.9), 2);
    assertSnr(told, 'noisyHalf', overWhole(0.5), 2.5);
    // Where in the first minute it was not measured, it counts as what was measured nearest to it.
    assertSnr(told, 'noisyEarly', overWhole(0.1), 4);
  });

test('of who is silent for most of it, noise counts that is there where somebody speaks', async () => {
  const [voice] = voices;
  const words = (...at: number[]) => {
    const said = new Int16Array(seconds * rateHz);
    for (const second of at) said.set(voice.subarray(0, 10 * rateHz), second * rateHz);
    return said;
  };
  const noisyFrom = (from: number) => (second: number) => (second < from ? quietDb : noisyDb);
  const told = await measured({
    onceQuiet: onLine(voice, noisyFrom(60), words(0)),
    onceNoisy: onLine(voice, noisyFrom(60), words(300)),
    quietThenNoisy: onLine(voice, noisyFrom(30), words(0, 300, 420, 540)),
    talks: long(voices[1]),
  });
  assertSnr(told, 'onceQuiet', quietDb, 4);
  assertSnr(told, 'onceNoisy', noisyDb, 3);
  assertSnr(told, 'quietThenNoisy', noisyDb + 1, 3);
});
