import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { Scene } from './scene.ts';

for (const driver of ['dgram', 'ffi'] as const)
  test(`two parties are recorded by the driver ${driver}, sample for sample`, async () => {
    await using scene = await Scene.open({ settings: { CALLREEL_RTP_DRIVER: driver } });
    const room = `by ${driver}`;
    const calls = await Promise.all([0, 1].map(() => scene.call([scene.join(room, { do_record: true })])));
    await Promise.all(calls.map((call, seed) => call.play(noise({ samples: 8000, seed }))));
    const [stats] = await scene.server.callreel.media.stats();
    assert.equal(stats!.driver, driver);
    for (const call of calls) await call.hangUp();
    const conversation = await scene.endedConversation({ conference_name: room });
    for (const call of calls) {
      const samples = await samplesOf(channelFrom(conversation, call).audio);
      assertOnlyRun(samples, decoded(call, call.sentPayloads), `a party by ${driver}`);
    }
  });
