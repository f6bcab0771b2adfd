import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speech } from '../../src/testkit/speech.ts';
import { channelFrom } from './channel-audio.ts';
import { measuredConversation } from './measured-conversation.ts';
import { Scene } from './scene.ts';

const rateHz = 8000;

/** Of a call of 33 s the first 10 and at most the last 20 are measured as a matter of course. */
test('who says a few words between what is measured has figures of them', async () => {
  await using scene = await Scene.open();
  const conference_name = 'a few words';
  const joined = scene.join(conference_name, { do_record: true });
  const [talks, listens] = await Promise.all([scene.call([joined]), scene.call([joined])]);
  await scene.participants(conference_name, 2);
  const voice = await speech('english');
  const talk = Int16Array.from({ length: 33 * rateHz }, (_, at) => voice[at % voice.length]!);
  const words = new Int16Array(33 * rateHz);
  words.set((await speech('spanish')).subarray(0, 2 * rateHz), 10.5 * rateHz);
  await Promise.all([talks.play(talk), listens.play(words)]);
  await Promise.all([talks, listens].map((call) => call.hangUp()));
  const { conversation_id } = await scene.audience.ended({ conference_name });
  const conversation = await measuredConversation(scene, conversation_id);
  const [talked, said] = [talks, listens].map((call) => channelFrom(conversation, call).audio);
  const told = JSON.stringify({ talked, said });
  assert.ok(talked!.snr > 20 && talked!.quality_note === undefined, told);
  assert.ok(said!.snr > 10 && said!.rt60 > 0 && said!.rt60 < 0.5, told);
  assert.equal(said!.quality_note, 'little_speech', told);
});
