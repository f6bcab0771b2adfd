import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { Scene } from './scene.ts';

/** Calls on which nothing was said, recordings nobody asked for, events nobody wants. */
const silenceMs = 600;

const scene = await Scene.open();
const rows = new DirectoryRows(scene.server.dataDir);
after(async () => {
  await rows.close();
  await scene[Symbol.asyncDispose]();
});

suite('no media', { concurrency: true }, () => {
  test('a call that never sends a packet has a channel of its length, silent, and ends with no_media', async () => {
    const ann = await scene.call([scene.join('mute', { do_record: true })]);
    await setTimeout(silenceMs);
    await ann.hangUp();
    const conversation = await scene.endedConversation({ conference_name: 'mute' });
    const channel = channelFrom(conversation, ann);
    assert.ok(
      channel.end_ms! - channel.start_ms >= silenceMs - 1,
      `${channel.start_ms}-${channel.end_ms} ms`,
    );
    assert.equal(channel.audio.duration_ms, channel.end_ms! - channel.start_ms);
    for (const audio of [channel.audio, conversation.mixed_audio!])
      assert.ok((await samplesOf(audio)).every((sample) => sample === 0));
    const [recording, ...others] = await rows.recordings(conversation.conversation_id);
    assert.deepEqual([recording!.state, recording!.reason, others], ['ended', 'no_media', []]);
  });

  test('a conference that nobody records gets its event, and has no audio', async () => {
    const ann = await scene.call([scene.join('unrecorded')]);
    const bob = await scene.call([scene.join('unrecorded', { do_record: false })]);
    await Promise.all([ann, bob].map((call) => call.play(new Int16Array(1600).fill(1000))));
    await Promise.all([ann, bob].map((call) => call.hangUp()));
    const conversation = await scene.endedConversation({ conference_name: 'unrecorded' });
    const { status, audio, mixed_audio, channels } = conversation;
    assert.deepEqual(
      { status, audio, mixed_audio, channels },
      { status: 'ended', audio: null, mixed_audio: null, channels: [] },
    );
    assert.deepEqual(await rows.recordings(conversation.conversation_id), []);
  });

  test('without an event callback the conversation ends all the same', async () => {
    const ann = await scene.call([{ name: 'JoinConference', conference_name: 'unwatched', do_record: true }]);
    const live = await scene.conference('unwatched');
    assert.equal((await scene.conversation(live.conversation_id)).status, 'active');
    await ann.play(new Int16Array(1600).fill(1000));
    await ann.hangUp();
    const conversation = await eventually('the end of the conversation', async () => {
      const found = await scene.conversation(live.conversation_id);
      return found.status === 'ended' ? found : undefined;
    });
    assert.ok((await samplesOf(channelFrom(conversation, ann).audio)).length >= 1600);
    assert.deepEqual(scene.audience.endedEvents({ conference_name: 'unwatched' }), []);
  });

  test('several callbacks of one conference each get the event, once', async () => {
    const other = scene.handle('/other-events', () => ({}));
    const ann = await scene.call([scene.join('watched twice')]);
    const bob = await scene.call([scene.join('watched twice', { event_callback: other })]);
    const carol = await scene.call([scene.join('watched twice', { event_callback: other })]);
    await Promise.all([ann, bob, carol].map((call) => call.hangUp()));
    const { conversation_id } = await scene.audience.ended({ conference_name: 'watched twice' });
    await scene.app.waitFor('/other-events');
    await eventually('the deliveries on record', async () => {
      const events = await rows.events(conversation_id);
      return events.length === 2 && events.every(({ deliveredAt }) => deliveredAt !== null)
        ? true
        : undefined;
    });
    assert.equal(scene.app.requests('/other-events').length, 1);
    assert.equal(scene.audience.endedEvents({ conference_name: 'watched twice' }).length, 1);
  });
});
