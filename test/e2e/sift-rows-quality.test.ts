import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { dbovToRms, rmsDbov } from '../../src/audio/level.ts';
import { QualityMeter } from '../../src/quality/quality-meter.ts';
import { backgroundNoise, mixed } from '../../src/testkit/background-noise.ts';
import { seededRandom } from '../../src/testkit/random.ts';
import { type SpeechName, speech } from '../../src/testkit/speech.ts';
import type { AudioBody, ChannelBody, ConversationBody } from './bodies.ts';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { HttpClient } from './http-client.ts';
import { measuredConversation } from './measured-conversation.ts';
import { Scene } from './scene.ts';

/**
 * Rows of docs/dialects/sift.md about the quality figures, in one conference: people who speak from a telephone at the
 * ear, beside loud noise and in a hall, and one who says nothing.
 */
const conference_name = 'quality rows';
const rateHz = 8000;
const seconds = 20;
const hallSeconds = 8;

interface Quality {
  snr_db: number | null;
  rt60_seconds: number | null;
  speech_seconds: number;
  silence_share: number;
  note: string | null;
}

const scene = await Scene.open();
let conversation: ConversationBody;
let recordingId: string;
const channelOf: Record<string, ChannelBody> = {};
const audioOf: Record<string, AudioBody> = {};

async function voice(name: SpeechName): Promise<Int16Array> {
  return (await speech(name)).slice(0, seconds * rateHz);
}

/** Noise as loud as the speech. */
function noisy(samples: Int16Array): Int16Array {
  const levelDbov = rmsDbov(samples) + 2;
  return mixed(samples, backgroundNoise('white', { samples: samples.length, rateHz, levelDbov, seed: 4 }));
}

/** What comes out of a hall whose sound takes so long to fall by 60 dB: the reverberation alone, as loud as before. */
function inHall(samples: Int16Array): Int16Array {
  const random = seededRandom(9);
  const decay = 10 ** (-3 / (rateHz * hallSeconds));
  const sparse = 400;
  const heard = new Float64Array(samples.length);
  for (let reflection = 0; reflection < sparse; reflection++) {
    const delay = Math.floor((reflection + random()) * ((rateHz * hallSeconds) / 2 / sparse));
    const gain = (random() < 0.5 ? -1 : 1) * decay ** delay;
    for (let i = delay; i < heard.length; i++) heard[i]! += gain * samples[i - delay]!;
  }
  const rms = Math.sqrt(heard.reduce((sum, sample) => sum + sample * sample, 0) / heard.length);
  const gain = dbovToRms(rmsDbov(samples)) / rms;
  return Int16Array.from(heard, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))));
}

/** SNR, RT60 and note as they are told, of samples measured in blocks of 10 s that end there and from there on. */
function figuresOf(samples: Int16Array, blockEnd: number): string {
  const meter = new QualityMeter(rateHz);
  meter.push(samples.subarray(0, blockEnd));
  meter.passOver(0);
  meter.push(samples.subarray(blockEnd));
  const { snrDb, rt60Seconds, note } = meter.figures();
  const rounded = [snrDb, rt60Seconds].map((figure) => Math.round((figure ?? 0) * 100) / 100);
  return [...rounded, note].join();
}

before(async () => {
  const said: Record<string, Int16Array> = {
    near: await voice('english'),
    noisy: noisy(await voice('french')),
    hall: inHall(await voice('italian')),
    brief: (await speech('spanish')).slice(0, 4 * rateHz),
    silent: new Int16Array(0),
  };
  const joined = scene.join(conference_name, { do_record: true });
  const calls = await Promise.all(Object.keys(said).map(() => scene.call([joined])));
  const names = Object.keys(said);
  await scene.participants(conference_name, names.length);
  await Promise.all(
    calls.map((call, index) => said[names[index]!]!.length > 0 && call.play(said[names[index]!]!)),
  );
  await Promise.all(calls.map((call) => call.hangUp()));
  const { conversation_id } = await scene.audience.ended({ conference_name });
  conversation = await measuredConversation(scene, conversation_id);
  for (const [index, name] of names.entries()) {
    channelOf[name] = channelFrom(conversation, calls[index]!);
    audioOf[name] = channelOf[name].audio;
  }
  const { body } = await new HttpClient(scene.server.callreel).get<{
    results: { recording_id: string }[];
  }>(`/v1/recordings?conversation_id=${conversation_id}`);
  recordingId = body.results[0]!.recording_id;
});

after(() => scene[Symbol.asyncDispose]());

const said = () =>
  JSON.stringify(audioOf, ['near', 'noisy', 'hall', 'brief', 'silent', 'snr', 'rt60', 'quality_note']);

suite('sift rows: quality', () => {
  test('G32: snr is a number of dB on the mix and on each channel, high where only the voice is heard', () => {
    assert.ok(Number.isFinite(conversation.audio!.snr));
    assert.deepEqual(conversation.mixed_audio, conversation.audio);
    assert.ok(audioOf.near!.snr > 20, said());
    assert.equal(audioOf.near!.quality_note, undefined);
    assert.deepEqual([audioOf.silent!.snr, audioOf.silent!.quality_note], [0, 'no_speech']);
    assert.ok(audioOf.brief!.snr > 10, said());
    assert.equal(audioOf.brief!.quality_note, 'little_speech');
  });

  test('G33: rt60 is a number of seconds on the mix and on each channel, low at the ear', () => {
    assert.ok(Number.isFinite(conversation.audio!.rt60));
    assert.ok(audioOf.near!.rt60 > 0 && audioOf.near!.rt60 < 0.5, said());
    assert.equal(audioOf.silent!.rt60, 0);
  });

  // Where a busy machine tears holes into noise it reads some dB better: 3.0 at 0 dB is proven in
  // `worker/quality-desk.test.ts`.
  test('G34: what is beside loud noise reads low, an 8 s hall has much echo', () => {
    assert.ok(audioOf.noisy!.snr < 12, said());
    assert.ok(audioOf.hall!.rt60 > 5, said());
  });

  test('G35: the hall raises rt60', () => {
    assert.ok(audioOf.hall!.rt60 > audioOf.near!.rt60 + 1, said());
  });

  test('G36: only the end that is bad alarms', () => {
    const alarms = (audio: AudioBody) => [
      audio.snr < 3.0 && audio.quality_note !== 'no_speech',
      audio.rt60 > 5.0,
    ];
    for (const name of ['near', 'brief', 'silent'])
      assert.deepEqual(alarms(audioOf[name]!), [false, false], said());
    assert.ok(audioOf.noisy!.snr < audioOf.near!.snr - 20, said());
  });

  test('the figures of a channel are those of its file', async () => {
    for (const [name, { audio, start_ms }] of Object.entries(channelOf)) {
      const samples = await samplesOf(audio);
      const told = [audio.snr, audio.rt60, audio.quality_note ?? null].join();
      // Measured in blocks of 10 s of the recording, of which it is told to a millisecond where the file begins.
      const blockEnd = 10 * rateHz - (start_ms * rateHz) / 1000;
      const found = Array.from({ length: 33 }, (_, shift) => figuresOf(samples, blockEnd + shift - 16));
      assert.ok(found.includes(told), `${name}: ${told} is none of ${[...new Set(found)].join(' ')}`);
    }
  });

  test('the native API says null and why', async () => {
    const { body } = await new HttpClient(scene.server.callreel).get<{
      quality: Quality;
      channels: { connection_id: string; quality: Quality }[];
    }>(`/v1/recordings/${recordingId}`);
    assert.ok(body.quality.snr_db !== null && body.quality.speech_seconds > 10);
    const notes = body.channels.map(({ quality }) => quality.note).sort();
    assert.equal(notes.filter((note) => note === 'little_speech').length, 1);
    const silent = body.channels.filter(({ quality }) => quality.note === 'no_speech');
    assert.equal(silent.length, 1);
    const { snr_db, rt60_seconds, speech_seconds, silence_share } = silent[0]!.quality;
    assert.deepEqual([snr_db, rt60_seconds, speech_seconds, silence_share], [null, null, 0, 1]);
  });
});
