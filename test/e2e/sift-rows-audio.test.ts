import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov, toneRatioDb } from '../../src/testkit/tone-level.ts';
import { bareGet } from './bare-request.ts';
import type { AudioBody, ConversationBody } from './bodies.ts';
import { channelFrom, channelsFrom, samplesOf } from './channel-audio.ts';
import { HttpClient, type Page } from './http-client.ts';
import { measuredConversation } from './measured-conversation.ts';
import { mp3Of } from './mp3.ts';
import { Scene } from './scene.ts';
import { utter } from './utterance.ts';

/**
 * Rows of docs/dialects/sift.md about the files of a conversation. One conference proves them: Ann and Bob are recorded, Eve
 * opted out; Ann and Bob speak alone (noise), then all three at once (a tone each).
 */
const guideNumber = '+15558881188';
const conference_name = 'audio rows';
const [annHz, bobHz, eveHz] = partyTonesHz;
const rateHz = 8000;
const toneMs = 1000;
/** Between two who speak one after the other: the last packet has left when it begins to be heard. */
const pauseMs = 200;

const scene = await Scene.open();
let ann: PhoneCall;
let bob: PhoneCall;
let eve: PhoneCall;
let annAlone: Int16Array;
let bobAlone: Int16Array;
let eveTone: Int16Array;
let conversation: ConversationBody;
let annSamples: Int16Array;
let bobSamples: Int16Array;
let mix: Int16Array;

before(async () => {
  const recorded = scene.join(conference_name, { do_record: true });
  ann = await scene.call([recorded], { number: guideNumber });
  bob = await scene.call([recorded]);
  eve = await scene.call([scene.join(conference_name, { do_record: false })]);
  await scene.participants(conference_name, 3);
  annAlone = await utter(ann, noise({ samples: 4000, seed: 201 }));
  await setTimeout(pauseMs);
  bobAlone = await utter(bob, noise({ samples: 4000, seed: 202 }));
  await setTimeout(pauseMs);
  [, , eveTone] = await Promise.all([
    utter(ann, tone({ frequencyHz: annHz, durationMs: toneMs })),
    utter(bob, tone({ frequencyHz: bobHz, durationMs: toneMs })),
    utter(eve, tone({ frequencyHz: eveHz, durationMs: toneMs })),
  ]);
  await Promise.all([ann, bob, eve].map((call) => call.hangUp()));
  conversation = await scene.endedConversation({ conference_name });
  annSamples = await samplesOf(channelFrom(conversation, ann).audio);
  bobSamples = await samplesOf(channelFrom(conversation, bob).audio);
  mix = await samplesOf(conversation.audio!);
});

after(() => scene[Symbol.asyncDispose]());

/** The stretch in which everybody speaks: the last half of the tones. */
function crossTalk(samples: Int16Array): { start: number; end: number } {
  const end = samples.findLastIndex((sample) => sample !== 0) - 1200;
  return { start: end - 3200, end };
}

/** Every audio object of the conversation: the mix, then each channel's. */
function audios(): AudioBody[] {
  return [conversation.audio!, ...conversation.channels.map(({ audio }) => audio)];
}

suite('sift rows: audio', () => {
  test("G1: each participant's voice is a file of its own, bit for bit", () => {
    assertExactRun(annSamples, annAlone, { label: 'Ann' });
    assertExactRun(bobSamples, bobAlone, { label: 'Bob' });
    assertNoRun(annSamples, bobAlone, { label: 'Bob in the channel of Ann' });
    assertNoRun(bobSamples, annAlone, { label: 'Ann in the channel of Bob' });
  });

  test('G2: the full conversation is recorded, too', () => {
    assertExactRun(mix, annAlone, { label: 'Ann in the mix' });
    assertExactRun(mix, bobAlone, { label: 'Bob in the mix' });
    for (const frequencyHz of [annHz, bobHz]) {
      const levelDbov = toneLevelDbov(mix, rateHz, frequencyHz, crossTalk(annSamples));
      assert.ok(Math.abs(levelDbov + 15) < 1, `${frequencyHz} Hz at ${levelDbov.toFixed(1)} dBov`);
    }
  });

  test('G19: conversation.audio.wav_file is a PCM WAV of the mix', async () => {
    const { status, contentType, bytes } = await bareGet(conversation.audio!.wav_file);
    assert.deepEqual([status, contentType], [200, 'audio/wav']);
    const { rateHz: fileRateHz, channels } = decodeWav(bytes);
    assert.deepEqual([fileRateHz, channels], [rateHz, [mix]]);
  });

  test('G20: mp3_file is the same audio, for the mix and for each channel', async () => {
    const expected = [
      [conversation.audio!, [annHz, bobHz], [eveHz]],
      [channelFrom(conversation, ann).audio, [annHz], [bobHz, eveHz]],
      [channelFrom(conversation, bob).audio, [bobHz], [annHz, eveHz]],
    ] as const;
    for (const [audio, tonesHz, absentHz] of expected) {
      const [samples, contentType] = await mp3Of(audio);
      assert.equal(contentType, 'audio/mpeg');
      assert.ok(Math.abs(samples.length / 8 - audio.duration_ms) < 250, `${samples.length} samples`);
      for (const frequencyHz of tonesHz) {
        const levelDbov = toneLevelDbov(samples, rateHz, frequencyHz, crossTalk(samples));
        assert.ok(Math.abs(levelDbov + 15) < 2, `${frequencyHz} Hz at ${levelDbov.toFixed(1)} dBov`);
      }
      for (const frequencyHz of absentHz) {
        const levelDbov = toneLevelDbov(samples, rateHz, frequencyHz, crossTalk(samples));
        assert.ok(levelDbov < -45, `${frequencyHz} Hz of another at ${levelDbov.toFixed(1)} dBov`);
      }
    }
  });

  test('G21: a client that sends no headers fetches the files; a changed link is refused', async () => {
    for (const { wav_file, mp3_file } of audios())
      for (const url of [wav_file, mp3_file]) {
        const { status, bytes } = await bareGet(url);
        assert.equal(status, 200);
        assert.ok(bytes.length > 1000);
      }
    const link = new URL(conversation.audio!.wav_file);
    link.searchParams.set('expires', String(Number(link.searchParams.get('expires')) + 1000));
    assert.equal((await bareGet(link.href)).status, 403);
    link.search = '';
    assert.equal((await bareGet(link.href)).status, 403);
  });

  test('G22: some participants are recorded and others are not', () => {
    assert.deepEqual(channelsFrom(conversation, eve), []);
    assert.equal(conversation.channels.length, 2);
    assertNoRun(mix, eveTone, { label: 'Eve in the mix' });
    const ratioDb = toneRatioDb(mix, rateHz, annHz, eveHz, crossTalk(annSamples));
    assert.ok(ratioDb > 55, `Eve only ${ratioDb.toFixed(1)} dB below Ann`);
    const heardDbov = toneLevelDbov(ann.received(), rateHz, eveHz, crossTalk(ann.received()));
    assert.ok(heardDbov > -25, `Ann heard Eve at ${heardDbov.toFixed(1)} dBov`);
  });

  test('G23: in cross-talk, nothing of the others is in a channel', () => {
    for (const [samples, ownHz, othersHz] of [
      [annSamples, annHz, [bobHz, eveHz]],
      [bobSamples, bobHz, [annHz, eveHz]],
    ] as const)
      for (const otherHz of othersHz) {
        const ratioDb = toneRatioDb(samples, rateHz, ownHz, otherHz, crossTalk(samples));
        assert.ok(ratioDb > 55, `${otherHz} Hz only ${ratioDb.toFixed(1)} dB below ${ownHz} Hz`);
      }
  });

  test('G25: each channel has wav_file, wave_file, mp3_file, snr, rt60 and duration_ms', async () => {
    for (const { audio, start_ms, end_ms } of conversation.channels) {
      assert.equal(audio.wave_file, audio.wav_file);
      assert.ok(Math.abs(audio.duration_ms - (end_ms! - start_ms)) <= 1, `${audio.duration_ms} ms`);
      const links = [audio.wav_file, audio.mp3_file].map((url) => new URL(url).pathname);
      assert.deepEqual(
        links.map((path) => path.split('.').at(-1)),
        ['wav', 'mp3'],
      );
      assert.deepEqual([typeof audio.snr, typeof audio.rt60], ['number', 'number']);
    }
    const files = audios().flatMap(({ wav_file, mp3_file }) => [wav_file, mp3_file]);
    assert.equal(new Set(files.map((url) => new URL(url).pathname)).size, 6);
  });

  test('G39: the figures stand with the audio wherever a conversation is told', async () => {
    const measured = await measuredConversation(scene, conversation.conversation_id);
    const client = new HttpClient(scene.server.callreel);
    const path = `/v0/conversations?conference_name=${encodeURIComponent(conference_name)}`;
    const { body } = await client.get<Page<ConversationBody>>(path);
    const [listed] = body.results;
    const figures = ({ audio, channels }: ConversationBody) =>
      [audio!, ...channels.map((channel) => channel.audio)].map(({ snr, rt60, quality_note }) => ({
        snr,
        rt60,
        quality_note,
      }));
    assert.deepEqual(figures(listed!), figures(measured));
  });
});
