import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSpeech, type Noise, onLine, scoredNoises } from '../../bench/quality/clips.ts';
import { type RoomResponse, randomRoom, roomResponse } from '../../bench/quality/room.ts';
import { rmsDbov } from '../audio/level.ts';
import { resample } from '../audio/resample.ts';
import { QualityMeter } from './quality-meter.ts';
import { SpeechLevel } from './speech-level.ts';
import { randomOf } from './test-random.ts';
import { figuresOf, type TestVoice, testVoices } from './test-voices.ts';

const seconds = 20;
const rooms = [0.15, 0.35, 0.65, 1].map((rt60Seconds) => roomOf(rt60Seconds));

function roomOf(rt60Seconds: number, distanceMetres = 1.2): RoomResponse {
  return roomResponse(randomRoom({ seed: 7, rt60Seconds, distanceMetres }));
}

const speeches = new Map<string, { speech: Int16Array; levelDbov: number }>();

function speechOf(voice: TestVoice, room?: RoomResponse): { speech: Int16Array; levelDbov: number } {
  const key = `${voice.name} ${room?.rt60Seconds}`;
  const known = speeches.get(key);
  if (known) return known;
  const speech = makeSpeech({ seed: 3, voice, seconds, room: room?.taps });
  const level = new SpeechLevel(8000);
  level.push(speech, 0, speech.length);
  const made = { speech, levelDbov: level.active().levelDbov };
  speeches.set(key, made);
  return made;
}

interface Heard {
  snrDb?: number;
  noise?: Noise;
  room?: RoomResponse;
}

function clipOf(voice: TestVoice, { snrDb = 35, noise = 'pink', room }: Heard): Int16Array {
  const { speech, levelDbov } = speechOf(voice, room);
  const others = testVoices.filter(({ name }) => name !== voice.name);
  return onLine(speech, levelDbov, { seed: 5, noise, others, snrDb, speechDbov: -26 });
}

for (const voice of testVoices) {
  test(`${voice.name}: the SNR falls with every step that noise comes nearer, and is what it was made with`, () => {
    for (const noise of scoredNoises) {
      let before = Number.POSITIVE_INFINITY;
      for (const snrDb of [32, 24, 16, 8, 0]) {
        const said = figuresOf(clipOf(voice, { snrDb, noise })).snrDb ?? Number.NaN;
        assert.ok(said < before - 1, `${noise}: ${said} at ${snrDb} dB, ${before} before`);
        const most = noise === 'babble' ? 9 : 6;
        assert.ok(Math.abs(said - snrDb) < most, `${noise}: ${said} at ${snrDb} dB`);
        before = said;
      }
      assert.ok(before < 3, `${noise}: ${before} at 0 dB`);
    }
  });

  test(`${voice.name}: RT60 rises with every room, from what is said near to a hall`, () => {
    const said = [undefined, ...rooms].map(
      (room) => figuresOf(clipOf(voice, { room })).rt60Seconds ?? Number.NaN,
    );
    for (const [i, room] of rooms.entries()) {
      assert.ok(said[i + 1]! > said[i]! + 0.03, `${said} for ${rooms.map((each) => each.rt60Seconds)}`);
      assert.ok(Math.abs(said[i + 1]! - room.rt60Seconds) < 0.5, `${said[i + 1]} for ${room.rt60Seconds}`);
    }
  });
}

/** Noise that falls by 60 dB in this time. */
function noiseHall(rt60Seconds: number): RoomResponse {
  const random = randomOf(9);
  const taps = Float64Array.from(
    { length: 8000 * rt60Seconds },
    (_, i) => (random() - 0.5) * 10 ** ((-3 * i) / (8000 * rt60Seconds)),
  );
  return { taps, rt60Seconds };
}

test('a hall of 8 s reads above 5 s, whoever speaks (G34)', () => {
  const shoebox = roomResponse({
    size: [42, 26, 16],
    talker: [10, 9, 1.7],
    microphone: [14, 12, 1.5],
    absorption: Array.from({ length: 6 }, () => [0.11, 0.11, 0.11]),
  });
  assert.ok(Math.abs(shoebox.rt60Seconds - 8) < 0.5, `${shoebox.rt60Seconds}`);
  for (const hall of [shoebox, noiseHall(8)]) {
    for (const voice of testVoices) {
      const { rt60Seconds } = figuresOf(clipOf(voice, { room: hall }));
      assert.ok((rt60Seconds ?? 0) > 5, `${voice.name}: ${rt60Seconds}`);
    }
  }
});

test('a phone at the ear hears less of the room than one on the table, and than one across the room (G35)', () => {
  const nearToFar = [0.05, 0.8, 2.5].map((distance) => roomOf(0.8, distance));
  for (const voice of testVoices) {
    const said = nearToFar.map((room) => figuresOf(clipOf(voice, { room })).rt60Seconds!);
    const [ear, table, across] = said as [number, number, number];
    assert.ok(ear < table - 0.1 && ear < across - 0.1, `${voice.name}: ${said}`);
  }
});

test('the figures depend on the signal alone: not on how it comes, nor on who asks when', () => {
  const clip = clipOf(testVoices[0]!, { snrDb: 18, room: rooms[1] });
  const whole = figuresOf(clip);
  assert.deepEqual(figuresOf(clip, 160), whole);
  assert.deepEqual(figuresOf(clip, 7777), whole);
  const asked = new QualityMeter(8000);
  for (let at = 0; at < clip.length; at += 16_000) {
    asked.push(clip, at, Math.min(clip.length, at + 16_000));
    asked.figures();
  }
  assert.deepEqual(asked.figures(), whole);
});

test('volume changes the level and nothing else', () => {
  const clip = clipOf(testVoices[1]!, { snrDb: 20 });
  const loud = figuresOf(clip);
  const soft = figuresOf(clip.map((sample) => Math.round(sample / 4)));
  assert.ok(Math.abs(loud.speechLevelDbov! - soft.speechLevelDbov! - 12.04) < 0.3);
  assert.ok(Math.abs(loud.speechLevelDbov! + 26) < 1);
  assert.ok(Math.abs(loud.snrDb! - soft.snrDb!) < 1.5);
  assert.ok(Math.abs(loud.rt60Seconds! - soft.rt60Seconds!) < 0.1);
});

test('recordings of 16 and 48 kHz have the figures of 8 kHz', () => {
  const clip = clipOf(testVoices[2]!, { snrDb: 15, room: rooms[2] });
  const wanted = figuresOf(clip);
  for (const rateHz of [16_000, 48_000]) {
    const said = figuresOf(resample(clip, 8000, rateHz), 960, rateHz);
    assert.ok(Math.abs(said.snrDb! - wanted.snrDb!) < 2, `${said.snrDb} and ${wanted.snrDb}`);
    assert.ok(Math.abs(said.rt60Seconds! - wanted.rt60Seconds!) < 0.2);
  }
});

test('only the end that is bad alarms (G36)', () => {
  const [good, bad] = [testVoices[0]!, testVoices[3]!].map((voice) => clipOf(voice, { snrDb: 32 }));
  const before = [figuresOf(good!), figuresOf(bad!)];
  assert.ok(before.every(({ snrDb }) => snrDb! > 20));
  const noisy = figuresOf(clipOf(testVoices[3]!, { snrDb: 0, noise: 'white' }));
  assert.ok(noisy.snrDb! < 3);
  assert.deepEqual(figuresOf(good!), before[0]);
});

test('where nobody speaks there is no figure', () => {
  const random = randomOf(2);
  const tone = Int16Array.from({ length: 160_000 }, (_, i) => Math.round(8000 * Math.sin(0.3 * i)));
  const noise = Int16Array.from({ length: 160_000 }, () => Math.round(2000 * (random() - 0.5)));
  for (const samples of [new Int16Array(0), new Int16Array(160_000), noise, tone, tone.subarray(0, 2000)]) {
    const { snrDb, rt60Seconds, speechLevelDbov, speechSeconds, note } = figuresOf(samples);
    assert.deepEqual([snrDb, rt60Seconds, speechLevelDbov], [null, null, null]);
    assert.deepEqual([speechSeconds, note], [0, 'no_speech']);
  }
  assert.equal(figuresOf(new Int16Array(160_000)).silenceShare, 1);
});

test('of little speech there is an estimate that says so', () => {
  const clip = clipOf(testVoices[0]!, { snrDb: 20 });
  const little = figuresOf(clip.subarray(0, 6 * 8000));
  assert.equal(little.note, 'little_speech');
  assert.ok(Math.abs(little.snrDb! - 20) < 8);
  assert.ok(little.speechSeconds > 2 && little.speechSeconds <= 6);
  const enough = figuresOf(clip);
  assert.equal(enough.note, null);
  assert.ok(enough.speechSeconds > 10);
});

test('silence and clipping are told of beside them', () => {
  const clip = clipOf(testVoices[0]!, { snrDb: 40 });
  const pause = new Int16Array(2 * clip.length);
  pause.set(clip);
  const [whole, half] = [figuresOf(clip), figuresOf(pause)];
  assert.ok(Math.abs(1 - half.silenceShare - (1 - whole.silenceShare) / 2) < 0.02);
  assert.equal(whole.clippedShare, 0);
  const gain = 10 ** ((8 - rmsDbov(clip)) / 20);
  const clipped = clip.map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(gain * sample))));
  assert.ok(figuresOf(clipped).clippedShare > 0.05);
});
