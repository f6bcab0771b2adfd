import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { samplesOf } from './channel-audio.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
const { decode, encode } = lineCodecs.PCMU;
const lineCoded = (samples: Int16Array) => decode(encode(samples));
after(() => scene[Symbol.asyncDispose]());

/** So long each key is down: whole packets. */
const keyMs = 160;

test('T13 DTMF during recording: keys leave it whole, and everybody at their place', async () => {
  const ann = await scene.call([scene.join('keys', { do_record: true })]);
  await scene.participants('keys', 1);
  const bob = await scene.call([scene.join('keys')]);
  await scene.participants('keys', 2);
  const before = noise({ samples: 4000, seed: 1 });
  const behind = noise({ samples: 4000, seed: 2 });
  const beside = noise({ samples: 24_000, seed: 3 });
  const talking = bob.play(beside);
  await ann.play(before);
  for (const key of '5#*A') await ann.pressDigit(key, { durationMs: keyMs });
  await ann.play(behind);
  await talking;
  await ann.hangUp();
  await bob.hangUp();

  const { channels, audio } = await scene.endedConversation({ conference_name: 'keys' });
  const [annTrack, bobTrack] = await Promise.all(channels.map((channel) => samplesOf(channel.audio)));
  const at = assertExactRun(annTrack!, lineCoded(before), { label: 'before the keys' });
  const on = assertExactRun(annTrack!, lineCoded(behind), { label: 'behind the keys' });
  assert.ok(on - (at + before.length) >= 4 * keyMs * 8, 'the keys take the time that they were down');
  assert.ok(
    annTrack!.subarray(at + before.length, on).every((sample) => sample === 0),
    'no tone stands where a key was down',
  );
  assertExactRun(bobTrack!, lineCoded(beside), { label: 'who pressed nothing' });
  assert.ok((await samplesOf(audio!)).length >= beside.length, 'and no key ended the recording');
});
