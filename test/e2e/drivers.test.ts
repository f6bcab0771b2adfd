import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { Scene } from './scene.ts';

// Steering needs rights; where there are none, ports have sockets of their own, and the recording is the same.
for (const [driver, steering] of [
  ['dgram', 'off'],
  ['ffi', 'off'],
  ['ffi', 'auto'],
] as const)
  test(`two parties are recorded by the driver ${driver}, steering ${steering}, sample for sample`, async () => {
    const settings = { CALLREEL_RTP_DRIVER: driver, CALLREEL_RTP_STEERING: steering };
    await using scene = await Scene.open({ settings });
    const room = `by ${driver}, ${steering}`;
    const calls = await Promise.all([0, 1].map(() => scene.call([scene.join(room, { do_record: true })])));
    await Promise.all(calls.map((call, seed) => call.play(noise({ samples: 20_000, seed }))));
    const [stats] = await scene.server.callreel.media.stats();
    assert.equal(stats!.driver, driver);
    for (const call of calls) await call.hangUp();
    const conversation = await scene.endedConversation({ conference_name: room });
    for (const call of calls) {
      const samples = await samplesOf(channelFrom(conversation, call).audio);
      assertOnlyRun(samples, decoded(call, call.sentPayloads), `a party by ${driver}`);
    }
  });
